import { Anchor, Text } from '@mantine/core'
import { useEffect } from 'react'
import { Link } from 'wouter'
import { queryClient } from '../../api/queries.ts'
import type { Entitlements } from '../../api/types.ts'
import { formatCost } from '../../format.ts'
import { useEntitlements } from './queries.ts'

const fewMessages = 3
const fewCredits = 5_000_000

/** Says what is left of the day's messages and the credits, when it is little; asked again when `moment` changes. */
export function Allowance({ moment }: { moment: string | null }) {
  const entitlements = useEntitlements()
  // biome-ignore lint/correctness/useExhaustiveDependencies: a new moment is the reason to ask again
  useEffect(() => void queryClient.invalidateQueries({ queryKey: ['entitlements'] }), [moment])
  const text = entitlements.data ? allowanceOf(entitlements.data) : null
  if (text === null) return null
  return (
    <Text size="xs" c="dimmed" ta="center" mt={6} role="status">
      {text}{' '}
      <Anchor component={Link} href="/settings/billing" inherit>
        Plan and credits
      </Anchor>
    </Text>
  )
}

function allowanceOf({ payer, messages, credits }: Entitlements): string | null {
  if (payer === 'key') return null
  const { remaining, limit, resetsAt } = messages
  const balance = credits.balanceMicroCredits
  const parts: string[] = []
  if (remaining <= fewMessages) {
    // As the server's refusal says it.
    parts.push(`${remaining} of ${limit} messages left until ${resetsAt.slice(11, 16)} UTC.`)
  }
  if (balance < fewCredits) parts.push(balance <= 0 ? 'No credits left.' : `${formatCost(balance)} left.`)
  return parts.join(' ') || null
}
