import { Alert, Button, Group, Skeleton, Stack, Text } from '@mantine/core'
import { useEffect } from 'react'
import { useSearch } from 'wouter'
import type { Account } from '../../api/types.ts'
import { Section } from '../settings/section.tsx'
import classes from '../settings/settings.module.css'
import { CreditHistory } from './credit-history.tsx'
import { PaymentList } from './payment-list.tsx'
import { PlanSection } from './plan-section.tsx'
import { beginCheckout, refreshBilling, useCredits, usePackages } from './queries.ts'
import { useDeed } from './use-deed.tsx'
import { credits, money, outcomeOf } from './words.ts'

/** The plan, credits, what was paid, and how the balance came to be. */
export function BillingPage({ account }: { account: Account }) {
  const outcome = outcomeOf(useSearch())
  const isBack = outcome?.isGood ?? false
  useEffect(() => {
    void refreshBilling().catch(() => undefined)
    if (!isBack) return
    // The provider may tell us a moment after the person is back.
    const timers = [2000, 6000].map(ms => setTimeout(() => void refreshBilling().catch(() => undefined), ms))
    return () => timers.forEach(clearTimeout)
  }, [isBack])
  return (
    <>
      {outcome && (
        <Alert mt="md" color={outcome.isGood ? 'green' : 'gray'} title={outcome.title} role="status">
          {outcome.text}
        </Alert>
      )}
      <PlanSection account={account} />
      <CreditsSection />
      <Section title="Payments" lead="Packages and months of your plan, tries that failed among them.">
        <PaymentList />
      </Section>
      <Section title="History" lead="Every change of your credits, the newest first.">
        <CreditHistory />
      </Section>
    </>
  )
}

function CreditsSection() {
  const balance = useCredits()
  const offers = usePackages()
  const { run, busy, failure } = useDeed()
  const isOff = offers.data?.provider === 'none'
  return (
    <Section title="Credits" lead="Answers cost credits by their length. One credit is one US cent.">
      <Stack gap="md">
        <dl className={classes.numbers}>
          <div>
            <dt>credits left</dt>
            <dd data-testid="balance">{balance.data ? credits(balance.data.credits) : '…'}</dd>
          </div>
        </dl>
        {failure}
        {isOff && <Text size="sm">Credits cannot be bought on this server.</Text>}
        {!isOff && (
          <Text size="sm" c="dimmed">
            Credits do not raise the number of messages a day: your plan sets it, and it begins anew at 00:00
            UTC.
          </Text>
        )}
        {offers.isPending && <Skeleton h={60} />}
        {!isOff && (
          <ul className={classes.list}>
            {offers.data?.packages.map(one => (
              <li key={one.id} className={classes.line}>
                <Text className={classes.grow ?? ''}>{one.name}</Text>
                <Group gap="md">
                  <Text fw={600}>{money(one.priceCents, one.currency)}</Text>
                  <Button
                    size="xs"
                    variant="default"
                    aria-label={`Buy ${one.name}`}
                    loading={busy === one.id}
                    onClick={() => run(one.id, () => beginCheckout({ packageId: one.id }))}
                  >
                    Buy
                  </Button>
                </Group>
              </li>
            ))}
          </ul>
        )}
        {offers.data?.provider === 'sandbox' && (
          <Text size="sm" c="dimmed">
            This server has no payment provider: payments are a sandbox, and no money moves.
          </Text>
        )}
      </Stack>
    </Section>
  )
}
