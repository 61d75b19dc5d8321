import { Alert, Badge, Button, Group, Loader, Text } from '@mantine/core'
import { useEffect, useState, useSyncExternalStore } from 'react'
import { Link } from 'wouter'
import { attachGeneration, type LiveGeneration, liveGenerations } from '../../api/live.ts'
import { ShownMarkdown } from '../chat/shown-markdown.tsx'
import { ago } from '../settings/times.ts'
import { attempt } from './attempt.ts'
import classes from './library.module.css'
import { type ContentJob, changeJob, isOpen, saveJob, useContentJob } from './queries.ts'

const looks = {
  queued: { label: 'Waiting', color: 'gray' },
  running: { label: 'Being written', color: 'blue' },
  completed: { label: 'Completed', color: 'green' },
  failed: { label: 'Failed', color: 'red' },
  cancelled: { label: 'Cancelled', color: 'gray' },
} as const

interface JobCardProps {
  job: ContentJob
  typeName: string
}

/** One job: how far it is, what is written, and what can be done with it. */
export function JobCard({ job, typeName }: JobCardProps) {
  const [isShown, setShown] = useState(false)
  const [isBusy, setBusy] = useState(false)
  const live = useLive(job)
  // In the list only the beginning of a text is told.
  const isCut = (live?.replyOffset ?? 0) > job.text.length
  const whole = useContentJob(job, (isShown && !isOpen(job)) || isCut).data
  const { label, color } = looks[job.status]
  const text = isOpen(job) ? written(whole?.text ?? job.text, live) : isShown ? (whole?.text ?? job.text) : ''

  async function run(what: Parameters<typeof changeJob>[1] | 'save'): Promise<void> {
    setBusy(true)
    await attempt(() => (what === 'save' ? saveJob(job) : changeJob(job.id, what)))
    setBusy(false)
  }

  return (
    <li className={classes.card} aria-label={`${typeName}: ${job.prompt.slice(0, 60)}`}>
      <div className={classes.head}>
        <div className={classes.grow}>
          <Text size="sm" fw={500} lineClamp={2}>
            {job.prompt}
          </Text>
          <Text size="xs" c="dimmed">
            {typeName} · {ago(job.createdAt)}
          </Text>
        </div>
        <Badge color={color} variant="light" role="status">
          {label}
        </Badge>
        {job.status === 'running' && <Loader size="xs" aria-hidden />}
      </div>
      {job.status === 'failed' && (
        <Alert color="red" mt="xs">
          {job.error?.message ?? 'It failed.'}
        </Alert>
      )}
      {job.status === 'completed' && job.finishReason === 'length' && (
        <Alert color="yellow" mt="xs">
          The model stopped at its limit: the end is missing.
        </Alert>
      )}
      {text !== '' && (
        <div className={classes.text}>
          <ShownMarkdown text={text} isGrowing={isOpen(job)} />
        </div>
      )}
      <Group gap="xs" mt="xs">
        {job.text !== '' && !isOpen(job) && (
          <Button size="xs" variant="default" aria-expanded={isShown} onClick={() => setShown(!isShown)}>
            {isShown ? 'Hide' : 'Show'}
          </Button>
        )}
        {job.status === 'completed' &&
          (job.entryId ? (
            <Button size="xs" variant="light" component={Link} href={`/library/${job.entryId}`}>
              Open in library
            </Button>
          ) : (
            <Button size="xs" loading={isBusy} onClick={() => void run('save')}>
              Save to library
            </Button>
          ))}
        {isOpen(job) && (
          <Button size="xs" variant="default" loading={isBusy} onClick={() => void run('cancel')}>
            Cancel
          </Button>
        )}
        {(job.status === 'failed' || job.status === 'cancelled') && (
          <Button size="xs" loading={isBusy} onClick={() => void run('retry')}>
            Try again
          </Button>
        )}
        {!isOpen(job) && (
          <Button size="xs" variant="subtle" color="gray" loading={isBusy} onClick={() => void run('delete')}>
            Remove
          </Button>
        )}
      </Group>
    </li>
  )
}

/** Follows what a job writes while it is being written. */
function useLive({ generationId, status }: ContentJob): LiveGeneration | undefined {
  const live = useSyncExternalStore(liveGenerations.subscribe, () => liveGenerations.read(generationId))
  const isUnheard = status === 'running' && !live
  useEffect(() => {
    if (isUnheard) attachGeneration(generationId)
  }, [isUnheard, generationId])
  return live
}

/** What is written so far: the log is read from its beginning, so until it has caught up, what is stored is further. */
function written(stored: string, live: LiveGeneration | undefined): string {
  if (!live) return stored
  const whole = stored.slice(0, live.replyOffset ?? 0) + live.text
  return whole.length < stored.length ? stored : whole
}
