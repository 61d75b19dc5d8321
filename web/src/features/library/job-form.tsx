import { Button, Group, NativeSelect, SimpleGrid, Stack, Textarea, TextInput } from '@mantine/core'
import { type FormEvent, useRef, useState } from 'react'
import { attempt } from './attempt.ts'
import { askForContent, useContentTypes } from './queries.ts'

/** What shall be written, and how. */
export function JobForm() {
  const types = useContentTypes().data ?? []
  const [contentType, setContentType] = useState('blog-post')
  const [length, setLength] = useState('medium')
  const [tone, setTone] = useState('')
  const [language, setLanguage] = useState('')
  const [prompt, setPrompt] = useState('')
  const [isBusy, setBusy] = useState(false)
  // The same wish that is sent again after a lost answer is queued once.
  const key = useRef(crypto.randomUUID())
  const lengths = types.find(type => type.slug === contentType)?.lengths

  async function submit(event: FormEvent): Promise<void> {
    event.preventDefault()
    if (prompt.trim() === '' || isBusy) return
    setBusy(true)
    const wish = {
      ...{ prompt, contentType, length },
      ...(tone.trim() ? { tone: tone.trim() } : {}),
      ...(language.trim() ? { language: language.trim() } : {}),
    }
    // Cleared at once, so that the next wish can be written meanwhile; a refused one comes back before it.
    setPrompt('')
    if (await attempt(() => askForContent(wish, key.current))) key.current = crypto.randomUUID()
    else setPrompt(next => (next.trim() === '' ? prompt : `${prompt}\n\n${next}`))
    setBusy(false)
  }

  return (
    <form onSubmit={event => void submit(event)} onChange={() => (key.current = crypto.randomUUID())}>
      <Stack gap="sm" mt="md">
        <SimpleGrid cols={{ base: 1, xs: 2 }} spacing="sm">
          <NativeSelect
            label="Type"
            value={contentType}
            onChange={event => setContentType(event.currentTarget.value)}
            data={types.map(({ slug, name }) => ({ value: slug, label: name }))}
          />
          <NativeSelect
            label="Length"
            value={length}
            onChange={event => setLength(event.currentTarget.value)}
            data={(['short', 'medium', 'long'] as const).map(value => ({
              value,
              label: lengths ? `${value}: ${lengths[value]}` : value,
            }))}
          />
          <TextInput
            label="Tone"
            placeholder="friendly"
            maxLength={60}
            value={tone}
            onChange={event => setTone(event.currentTarget.value)}
          />
          <TextInput
            label="Language"
            placeholder="as the request"
            maxLength={60}
            value={language}
            onChange={event => setLanguage(event.currentTarget.value)}
          />
        </SimpleGrid>
        <Textarea
          label="What is it about?"
          autosize
          minRows={3}
          maxRows={10}
          maxLength={20_000}
          value={prompt}
          onChange={event => setPrompt(event.currentTarget.value)}
        />
        <Group justify="flex-end">
          <Button type="submit" loading={isBusy} disabled={prompt.trim() === ''}>
            Write it
          </Button>
        </Group>
      </Stack>
    </form>
  )
}
