import { Skeleton } from '@mantine/core'
import type { ProviderKeyUsage } from '../../api/types.ts'
import { formatCount } from '../../format.ts'
import classes from './keys.module.css'
import { useKeyUsage } from './queries.ts'

/** Calls, errors and tokens of a key in the last thirty days, with a bar for each day. */
export function KeyUsage({ id }: { id: string }) {
  const usage = useKeyUsage(id)
  if (usage.isPending) return <Skeleton height={38} radius="md" role="status" aria-label="Loading usage" />
  if (usage.isError || usage.data.calls === 0) return null
  const { calls, errors, inputTokens, outputTokens, days } = usage.data
  const numbers = [
    ['Calls', calls],
    ['Errors', errors],
    ['Tokens in', inputTokens],
    ['Tokens out', outputTokens],
  ] as const
  return (
    <div className={classes.usage}>
      <dl className={classes.numbers} aria-label="Usage in the last 30 days">
        {numbers.map(([label, count]) => (
          <div key={label}>
            <dt>{label}</dt>
            <dd>{formatCount(count)}</dd>
          </div>
        ))}
      </dl>
      <Days days={days} />
    </div>
  )
}

const shownDays = 30
const dayMs = 86_400_000

function Days({ days }: { days: ProviderKeyUsage['days'] }) {
  const calls = new Map(days.map(day => [day.day, day.calls]))
  const most = Math.max(1, ...calls.values())
  const today = Date.now()
  const shown = Array.from({ length: shownDays }, (_, index) =>
    new Date(today - (shownDays - 1 - index) * dayMs).toISOString().slice(0, 10),
  )
  return (
    <div className={classes.days} aria-hidden>
      {shown.map(day => {
        const count = calls.get(day) ?? 0
        const height = count === 0 ? 2 : 4 + Math.round((count / most) * 28)
        return (
          <span key={day} style={{ height }} data-used={count > 0 || undefined} title={`${day}: ${count}`} />
        )
      })}
    </div>
  )
}
