import { Button, NativeSelect, Stack, Text } from '@mantine/core'
import { useState } from 'react'
import classes from '../settings/settings.module.css'
import { useHistory } from './queries.ts'
import { change, credits, kindLabel, kinds } from './words.ts'

/** Every change of the balance, with what was left after it. */
export function CreditHistory() {
  const [kind, setKind] = useState('')
  const pages = useHistory(kind)
  const entries = pages.data?.pages.flatMap(page => page.entries) ?? []
  return (
    <Stack gap="sm">
      <NativeSelect
        label="Show"
        data={kinds}
        value={kind}
        onChange={event => setKind(event.currentTarget.value)}
        maw={240}
      />
      {pages.isError && <Text role="alert">The history could not be read.</Text>}
      {pages.isSuccess && entries.length === 0 && <Text c="dimmed">Nothing yet.</Text>}
      <ul className={classes.log} aria-label="History of credits">
        {entries.map(entry => (
          <li key={entry.id} className={classes.line}>
            <div className={classes.grow}>
              <Text size="sm">{entry.note ?? kindLabel(entry.kind)}</Text>
              <Text size="xs" c="dimmed">
                {kindLabel(entry.kind)}, then {credits(entry.balanceMicroCredits / 1_000_000)} left
              </Text>
            </div>
            <Text fw={600} size="sm">
              {change(entry.amountMicroCredits)}
            </Text>
            <time className={classes.time} dateTime={entry.createdAt}>
              {new Date(entry.createdAt).toLocaleString(undefined, {
                dateStyle: 'medium',
                timeStyle: 'short',
              })}
            </time>
          </li>
        ))}
      </ul>
      {pages.hasNextPage && (
        <Button
          variant="default"
          loading={pages.isFetchingNextPage}
          onClick={() => void pages.fetchNextPage()}
        >
          Show earlier ones
        </Button>
      )}
    </Stack>
  )
}
