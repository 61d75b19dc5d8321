import { Button } from '@mantine/core'
import { Link } from 'wouter'
import { ApiError } from '../../api/errors.ts'

const limits = new Set(['INSUFFICIENT_CREDITS', 'DAILY_LIMIT_REACHED'])

/** Where to go when a limit is met: to what lifts it. Nothing for other errors. */
export function WayOut({ error }: { error: unknown }) {
  if (!(error instanceof ApiError) || !limits.has(error.code)) return null
  return (
    <>
      <Button component={Link} href="/settings/billing" size="compact-sm">
        {error.code === 'DAILY_LIMIT_REACHED' ? 'See plans' : 'Get credits'}
      </Button>
      <Button component={Link} href="/settings/keys" size="compact-sm" variant="default">
        Use your own key
      </Button>
    </>
  )
}
