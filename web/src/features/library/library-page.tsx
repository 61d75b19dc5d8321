import { Button, Group, Text, TextInput } from '@mantine/core'
import { useDebouncedValue } from '@mantine/hooks'
import { useState } from 'react'
import { Link, useLocation } from 'wouter'
import { explain } from '../../api/errors.ts'
import { spokenOpening } from '../chat/spoken.ts'
import { ago } from '../settings/times.ts'
import { attempt } from './attempt.ts'
import classes from './library.module.css'
import { PageFrame } from './page-frame.tsx'
import { addEntry, useContentTypes, useEntries } from './queries.ts'

/** As much of a text as two lines can show, with its marks. */
const longestExcerpt = 1_000

/** What was kept, and a search in it. */
export default function LibraryPage() {
  const [, go] = useLocation()
  const [text, setText] = useState('')
  const [search] = useDebouncedValue(text.trim(), 200)
  const list = useEntries(search)
  const entries = list.data?.pages.flatMap(page => page.entries) ?? []
  const types = useContentTypes().data ?? []
  const nameOf = (type: string) => types.find(({ slug }) => slug === type)?.name ?? type
  return (
    <PageFrame title="Library">
      <Group mt="md" align="end">
        <TextInput
          className={classes.grow}
          type="search"
          label="Search"
          placeholder="Words, or a part of one"
          maxLength={200}
          value={text}
          onChange={event => setText(event.currentTarget.value)}
        />
        <Button
          variant="default"
          onClick={() => void attempt(async () => go(`/library/${await addEntry()}`))}
        >
          New entry
        </Button>
      </Group>
      {list.isError && <Text c="red">{explain(list.error)}</Text>}
      <Text size="sm" c="dimmed" mt="sm" role="status">
        {list.isSuccess && entries.length === 0 && (search ? 'Nothing found.' : 'Nothing kept yet.')}
      </Text>
      <ul className={classes.list} aria-label="Entries">
        {entries.map(entry => (
          <li key={entry.id} className={classes.card}>
            <Link href={`/library/${entry.id}`} className={classes.title ?? ''}>
              {entry.title}
            </Link>
            <Text size="xs" c="dimmed">
              {nameOf(entry.type)} · {ago(entry.updatedAt)}
              {entry.provenance && ` · written by ${entry.provenance.model}`}
            </Text>
            <Text size="sm" lineClamp={2} mt={4}>
              {spokenOpening(entry.body.slice(0, longestExcerpt))}
            </Text>
          </li>
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
