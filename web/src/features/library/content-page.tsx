import { Button, Center, Loader, Text } from '@mantine/core'
import { explain } from '../../api/errors.ts'
import { JobCard } from './job-card.tsx'
import { JobForm } from './job-form.tsx'
import classes from './library.module.css'
import { PageFrame } from './page-frame.tsx'
import { useContentJobs, useContentTypes } from './queries.ts'

/** Asking for written content, and watching it being written. */
export default function ContentPage() {
  const types = useContentTypes().data ?? []
  const list = useContentJobs()
  const jobs = list.data?.pages.flatMap(page => page.jobs) ?? []
  const nameOf = (slug: string) => types.find(type => type.slug === slug)?.name ?? slug
  return (
    <PageFrame title="Content">
      <JobForm />
      {list.isPending && (
        <Center p="lg">
          <Loader size="sm" />
        </Center>
      )}
      {list.isError && <Text c="red">{explain(list.error)}</Text>}
      {list.isSuccess && jobs.length === 0 && (
        <Text c="dimmed" mt="lg">
          Nothing written yet. Say what it shall be about, and it is written in the background.
        </Text>
      )}
      <ul className={classes.list} aria-label="Jobs">
        {jobs.map(job => (
          <JobCard key={job.id} job={job} typeName={nameOf(job.type)} />
        ))}
      </ul>
      {list.hasNextPage && (
        <Button variant="default" loading={list.isFetchingNextPage} onClick={() => void list.fetchNextPage()}>
          Show older
        </Button>
      )}
    </PageFrame>
  )
}
