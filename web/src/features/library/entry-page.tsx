import { Alert, Button, Group, Text, Textarea, TextInput } from '@mantine/core'
import { modals } from '@mantine/modals'
import { notifications } from '@mantine/notifications'
import { useState } from 'react'
import { useLocation } from 'wouter'
import { explain } from '../../api/errors.ts'
import { ShownMarkdown } from '../chat/shown-markdown.tsx'
import { attempt } from './attempt.ts'
import classes from './library.module.css'
import { PageFrame } from './page-frame.tsx'
import { changeEntry, downloadEntry, type LibraryEntry, removeEntry, useEntry } from './queries.ts'

/** One entry: its text beside how it looks. */
export default function EntryPage({ id }: { id: string }) {
  const found = useEntry(id)
  return (
    <PageFrame title="Library">
      {found.isError && (
        <Alert color="red" mt="md">
          {explain(found.error)}
        </Alert>
      )}
      {found.data && <Editor key={id} entry={found.data} />}
    </PageFrame>
  )
}

function Editor({ entry }: { entry: LibraryEntry }) {
  const [, go] = useLocation()
  const [title, setTitle] = useState(entry.title)
  const [type, setType] = useState(entry.type)
  const [body, setBody] = useState(entry.body)
  const [version, setVersion] = useState(entry.version)
  const [isBusy, setBusy] = useState(false)

  async function save(): Promise<void> {
    setBusy(true)
    await attempt(async () => {
      setVersion((await changeEntry(entry.id, { title, type, body, version })).version)
      notifications.show({ message: 'Saved.' })
    })
    setBusy(false)
  }

  function askRemoval(): void {
    modals.openConfirmModal({
      title: `Delete ${entry.title}?`,
      children: <Text size="sm">It is erased for good.</Text>,
      labels: { confirm: 'Delete', cancel: 'Keep it' },
      confirmProps: { color: 'red' },
      onConfirm: () =>
        void attempt(async () => {
          await removeEntry(entry.id)
          go('/library')
        }),
    })
  }

  return (
    <>
      <Group mt="md" grow>
        <TextInput
          label="Title"
          maxLength={300}
          value={title}
          onChange={event => setTitle(event.currentTarget.value)}
        />
        <TextInput
          label="Type"
          maxLength={100}
          value={type}
          onChange={event => setType(event.currentTarget.value)}
        />
      </Group>
      {entry.provenance && (
        <Text size="xs" c="dimmed" mt="xs">
          First written by {entry.provenance.model}
        </Text>
      )}
      <Group my="md" gap="xs">
        <Button loading={isBusy} disabled={!title.trim() || !type.trim()} onClick={() => void save()}>
          Save
        </Button>
        <Button variant="default" onClick={() => void attempt(() => downloadEntry(entry, 'markdown'))}>
          Download Markdown
        </Button>
        <Button variant="default" onClick={() => void attempt(() => downloadEntry(entry, 'html'))}>
          Download HTML
        </Button>
        <Button variant="subtle" color="red" onClick={askRemoval}>
          Delete
        </Button>
      </Group>
      <div className={classes.editor}>
        <Textarea
          label="Text (Markdown)"
          autosize
          minRows={14}
          value={body}
          onChange={event => setBody(event.currentTarget.value)}
        />
        <section aria-label="Preview">
          <ShownMarkdown text={body} isGrowing={false} />
        </section>
      </div>
    </>
  )
}
