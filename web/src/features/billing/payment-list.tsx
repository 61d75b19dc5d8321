import { Badge, Button, Text } from '@mantine/core'
import classes from '../settings/settings.module.css'
import { type Payment, usePayments, usePlans } from './queries.ts'
import { credits, money, paymentStatus } from './words.ts'

/** What was paid and what was tried in vain, the newest first. */
export function PaymentList() {
  const pages = usePayments()
  const plans = usePlans().data?.plans ?? []
  const nameOf = (id: string) => plans.find(plan => plan.id === id)?.name ?? id
  const payments = pages.data?.pages.flatMap(page => page.payments) ?? []
  if (pages.isError) return <Text role="alert">The payments could not be read.</Text>
  if (pages.isSuccess && payments.length === 0) return <Text c="dimmed">Nothing was paid so far.</Text>
  return (
    <>
      <ul className={classes.log} aria-label="Payments">
        {payments.map(payment => (
          <Line key={payment.id} payment={payment} planName={nameOf(payment.item)} />
        ))}
      </ul>
      {pages.hasNextPage && (
        <Button
          mt="sm"
          variant="default"
          loading={pages.isFetchingNextPage}
          onClick={() => void pages.fetchNextPage()}
        >
          Show earlier ones
        </Button>
      )}
    </>
  )
}

function Line({ payment, planName }: { payment: Payment; planName: string }) {
  const { label, color } = paymentStatus[payment.status]
  const what = payment.kind === 'plan' ? `A month of ${planName}` : `${credits(payment.credits)} credits`
  return (
    <li className={classes.line}>
      <div className={classes.grow}>
        <Text size="sm">
          {what}, {money(payment.amountCents, payment.currency)}
        </Text>
        {payment.status === 'failed' && payment.failure && (
          <Text size="xs" c="dimmed">
            {payment.failure}
          </Text>
        )}
      </div>
      <Badge variant="light" color={color}>
        {label}
      </Badge>
      <time className={classes.time} dateTime={payment.createdAt}>
        {new Date(payment.createdAt).toLocaleString(undefined, { dateStyle: 'medium', timeStyle: 'short' })}
      </time>
    </li>
  )
}
