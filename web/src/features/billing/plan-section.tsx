import { Badge, Button, Group, Stack, Text } from '@mantine/core'
import { modals } from '@mantine/modals'
import { useLocation } from 'wouter'
import type { Account } from '../../api/types.ts'
import { Section } from '../settings/section.tsx'
import classes from '../settings/settings.module.css'
import {
  beginCheckout,
  openPortal,
  type Plan,
  type Subscription,
  setCancelling,
  usePackages,
  usePlans,
  useSubscription,
} from './queries.ts'
import { useDeed } from './use-deed.tsx'
import { money } from './words.ts'

/** The plans, which of them it is, until when, and what can be done about it. */
export function PlanSection({ account }: { account: Account }) {
  const plans = usePlans().data?.plans ?? []
  const subscription = useSubscription().data?.subscription ?? null
  const isOff = usePackages().data?.provider === 'none'
  const { run, busy, failure } = useDeed()
  const [location, go] = useLocation()
  async function change(cancel: boolean): Promise<void> {
    await setCancelling(cancel)
    // What was said about a payment is no longer the newest thing.
    go(location, { replace: true })
  }
  const isLive = subscription !== null && !['canceled', 'incomplete_expired'].includes(subscription.status)
  return (
    <Section title="Plan" lead={isLive ? renewal(subscription) : 'Change it whenever you like.'}>
      <Stack gap="md">
        {failure}
        <ul className={classes.list}>
          {plans.map(plan => (
            <PlanLine key={plan.id} plan={plan} isCurrent={plan.id === account.plan}>
              {plan.priceCents > 0 && plan.id !== account.plan && !isLive && !isOff && (
                <Button
                  size="xs"
                  loading={busy === plan.id}
                  onClick={() => run(plan.id, () => beginCheckout({ plan: plan.id }))}
                >
                  Upgrade to {plan.name}
                </Button>
              )}
              {plan.priceCents > 0 && isLive && plan.id !== subscription.plan && (
                <Button
                  size="xs"
                  variant="default"
                  loading={busy === plan.id}
                  onClick={() => run(plan.id, openPortal)}
                >
                  Change to {plan.name}…
                </Button>
              )}
            </PlanLine>
          ))}
        </ul>
        {isLive && (
          <Group>
            <Button variant="default" loading={busy === 'portal'} onClick={() => run('portal', openPortal)}>
              Manage payments…
            </Button>
            <Button
              variant="default"
              loading={busy === 'cancel'}
              onClick={() =>
                subscription.cancelAtPeriodEnd
                  ? run('cancel', () => change(false))
                  : askToCancel(subscription, () => run('cancel', () => change(true)))
              }
            >
              {subscription.cancelAtPeriodEnd ? 'Keep the subscription' : 'Cancel subscription'}
            </Button>
          </Group>
        )}
      </Stack>
    </Section>
  )
}

function PlanLine({
  plan,
  isCurrent,
  children,
}: {
  plan: Plan
  isCurrent: boolean
  children: React.ReactNode
}) {
  const price = plan.priceCents > 0 ? `${money(plan.priceCents, plan.currency)} a month` : 'Free'
  return (
    <li className={classes.line} aria-current={isCurrent || undefined}>
      <div className={classes.grow}>
        <Group gap="xs">
          <Text fw={600}>{plan.name}</Text>
          {isCurrent && <Badge variant="light">Your plan</Badge>}
        </Group>
        <Text size="sm" c="dimmed">
          {price} · {plan.features.join(' · ')}
        </Text>
      </div>
      {children}
    </li>
  )
}

function askToCancel(subscription: Subscription, onConfirm: () => void): void {
  modals.openConfirmModal({
    title: 'Cancel the subscription?',
    children: (
      <Text size="sm">
        Your plan stays until {endOf(subscription)} and is not paid for again. You can change your mind until
        then.
      </Text>
    ),
    labels: { confirm: 'Cancel subscription', cancel: 'Keep it' },
    confirmProps: { color: 'red' },
    onConfirm,
  })
}

/** The last day of what is paid for, in words. */
function endOf({ currentPeriodEnd }: Subscription): string {
  return currentPeriodEnd
    ? new Date(currentPeriodEnd).toLocaleDateString(undefined, { dateStyle: 'long' })
    : 'the end of its month'
}

function renewal(subscription: Subscription): string {
  const { cancelAtPeriodEnd, status } = subscription
  if (status === 'past_due') return 'The last payment failed. Please look after it under Manage payments.'
  const date = endOf(subscription)
  return cancelAtPeriodEnd ? `Ends on ${date}.` : `Renews on ${date}.`
}
