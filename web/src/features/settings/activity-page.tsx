import { Alert, Button, Group, Skeleton, Text } from '@mantine/core'
import { IconAlertTriangle, IconShieldCheck } from '@tabler/icons-react'
import { explain } from '../../api/errors.ts'
import type { SecurityEvent } from '../../api/types.ts'
import { useSecurityEvents } from './queries.ts'
import { Section } from './section.tsx'
import { describeEvent } from './security-events.ts'
import classes from './settings.module.css'
import { ago, exactly } from './times.ts'

/** The security log: what happened to the account, from where and when. */
export function ActivityPage() {
  const log = useSecurityEvents()
  const events = log.data?.pages.flatMap(page => page.events) ?? []
  return (
    <Section title="Activity" lead="Sign-ins, failed ones and changes. Nobody can alter this list.">
      {log.isPending && <Skeleton height={56} radius="md" role="status" aria-label="Loading the activity" />}
      {log.isError && (
        <Alert color="red" variant="light" role="alert">
          {explain(log.error)}
        </Alert>
      )}
      <ul className={classes.log}>
        {events.map(event => (
          <EventRow key={event.id} event={event} />
        ))}
      </ul>
      {log.hasNextPage && (
        <Group mt="sm">
          <Button variant="default" loading={log.isFetchingNextPage} onClick={() => void log.fetchNextPage()}>
            Show earlier
          </Button>
        </Group>
      )}
    </Section>
  )
}

function EventRow({ event }: { event: SecurityEvent }) {
  const { text, isWarning } = describeEvent(event.kind)
  const Icon = isWarning ? IconAlertTriangle : IconShieldCheck
  return (
    <li className={classes.line} data-warning={isWarning || undefined}>
      <Icon size={20} stroke={1.6} aria-hidden />
      <div className={classes.grow}>
        <Text size="sm" fw={500}>
          {text}
          {event.actorId && ' by an administrator'}
        </Text>
        <Text size="xs" c="dimmed">
          {[event.ip, deviceOf(event.userAgent)].filter(Boolean).join(' · ')}
        </Text>
      </div>
      <time className={classes.time} dateTime={event.createdAt} title={exactly(event.createdAt)}>
        {ago(event.createdAt)}
      </time>
    </li>
  )
}

/** The browser of a user agent, in a word. */
function deviceOf(userAgent: string | null): string | null {
  if (!userAgent) return null
  const browsers = [
    ['Edg/', 'Edge'],
    ['Firefox/', 'Firefox'],
    ['Chrome/', 'Chrome'],
    ['Safari/', 'Safari'],
  ] as const
  return browsers.find(([mark]) => userAgent.includes(mark))?.[1] ?? userAgent.slice(0, 40)
}
