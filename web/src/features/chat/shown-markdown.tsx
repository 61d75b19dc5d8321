import { Skeleton, Stack } from '@mantine/core'
import { type ComponentType, lazy, Suspense, useState } from 'react'
import type { MarkdownProps } from './markdown.tsx'

const load = () => import('./markdown.tsx')
const Late = lazy(load)
let loaded: ComponentType<MarkdownProps> = Late

// Fetched with the page, because it is needed as soon as a chat is read; if that fails, it is tried again when shown.
load().then(
  module => {
    loaded = module.default
  },
  () => undefined,
)

/** Markdown as it looks, and never its marks: quiet lines stand there while what renders it is still on its way. */
export function ShownMarkdown(props: MarkdownProps) {
  const [Markdown] = useState(() => loaded)
  return (
    <Suspense fallback={<Lines />}>
      <Markdown {...props} />
    </Suspense>
  )
}

function Lines() {
  return (
    <Stack gap="sm" py={6} aria-hidden>
      <Skeleton height={12} width="92%" />
      <Skeleton height={12} width="84%" />
      <Skeleton height={12} width="61%" />
    </Stack>
  )
}
