import { Alert, Button, Loader } from '@mantine/core'
import { useEffect, useMemo, useRef, useState } from 'react'
import { explain } from '../../api/errors.ts'
import { ArtifactList } from './artifact-list.tsx'
import { ArtifactTabs } from './artifact-tabs.tsx'
import classes from './artifacts.module.css'
import type { ChatSide } from './chat-side.ts'
import { lineagesOf, lineageWith, thingsOf } from './lineages.ts'
import { MergedBar } from './merged-bar.tsx'
import { PanelHeader } from './panel-header.tsx'
import { useConversationArtifacts } from './queries.ts'
import { allArtifacts } from './use-open-artifact.ts'
import { VersionBar } from './version-bar.tsx'

interface ArtifactPanelProps {
  conversationId: string
  /** The version to show, or `allArtifacts`. */
  id: string
  chat: ChatSide
  onOpen: (id: string) => void
  onClose: () => void
}

/** What a chat made: all of it as a list, or one thing with its versions, its look, its code and its build. */
export default function ArtifactPanel({ conversationId, id, chat, onOpen, onClose }: ArtifactPanelProps) {
  const made = useConversationArtifacts(conversationId)
  const lineages = useMemo(() => lineagesOf(made.data ?? []), [made.data])
  const things = useMemo(() => thingsOf(lineages), [lineages])
  const panel = useKeptFocus(id)
  const isKnown = id === allArtifacts || lineageWith(lineages, id) !== null
  const isMissing = useReadAgain(made, id, isKnown)
  // A new version is open before the list tells of it: until then the one before it stays.
  const last = useRef(id)
  const shown = isKnown || isMissing ? id : last.current
  const lineage = lineageWith(lineages, shown)
  const artifact = lineage?.versions.find(version => version.id === shown)
  useEffect(() => {
    last.current = shown
  }, [shown])
  return (
    <section ref={panel} className={classes.panel} tabIndex={-1} aria-label={artifact?.title ?? 'Artifacts'}>
      {id === allArtifacts && made.data ? (
        <ArtifactList things={things} chat={chat} onOpen={onOpen} onClose={onClose} />
      ) : (
        <PanelHeader
          artifact={artifact}
          onList={things.length > 1 ? () => onOpen(allArtifacts) : null}
          onClose={onClose}
        />
      )}
      {lineage && artifact ? (
        <>
          <VersionBar artifact={artifact} lineage={lineage} chat={chat} onOpen={onOpen} />
          <MergedBar artifact={artifact} artifacts={made.data ?? []} onOpen={onOpen} />
          <ArtifactTabs artifact={artifact} chat={chat} />
        </>
      ) : made.isError && !made.isFetching ? (
        <Alert color="red" variant="light" m="md" role="alert">
          {explain(made.error)}{' '}
          <Button size="compact-sm" variant="default" onClick={() => void made.refetch()}>
            Try again
          </Button>
        </Alert>
      ) : isMissing ? (
        <p className={classes.note} role="alert">
          This is not here any more: it was deleted, or its answer was written anew.
        </p>
      ) : (
        (id !== allArtifacts || made.isPending) && <Loader m="lg" size="sm" aria-label="Loading" />
      )}
    </section>
  )
}

/** Reads the list once more for an artifact that is not in it; true when it is not in that either. */
function useReadAgain(
  { isFetching, refetch }: ReturnType<typeof useConversationArtifacts>,
  id: string,
  isKnown: boolean,
): boolean {
  const [read, setRead] = useState<string | null>(null)
  useEffect(() => {
    if (isKnown || isFetching || read === id) return
    void refetch().then(() => setRead(id))
  }, [isKnown, isFetching, read, id, refetch])
  return !isKnown && !isFetching && read === id
}

/** Gives the panel the focus when another artifact took the place of the one that had it. */
function useKeptFocus(id: string) {
  const panel = useRef<HTMLElement>(null)
  const shown = useRef(id)
  useEffect(() => {
    if (shown.current !== id && document.activeElement === document.body) panel.current?.focus()
    shown.current = id
  }, [id])
  return panel
}
