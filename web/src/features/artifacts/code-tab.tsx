import { ActionIcon, Alert, Button, Loader, Tooltip, UnstyledButton } from '@mantine/core'
import { IconDownload, IconFile } from '@tabler/icons-react'
import { useEffect, useRef, useState } from 'react'
import { explain } from '../../api/errors.ts'
import type { ArtifactFile } from '../../api/types.ts'
import { CopyButton } from '../../code/copy-button.tsx'
import { HighlightedCode, type LineNote } from '../../code/highlighted-code.tsx'
import { formatBytes } from '../../format.ts'
import { saveBlob } from '../../save-file.ts'
import classes from './artifacts.module.css'
import { useArtifactFiles } from './queries.ts'

/** A line of a file; an object of its own each time that it is asked for. */
export interface Place {
  file: string
  /** 1-based. */
  line: number
}

interface CodeTabProps {
  id: string
  /** Where to look; null where the reader wants. */
  place: Place | null
}

/** The files of an artifact, in colour with line numbers; a list to choose from when there are several. */
export function CodeTab({ id, place }: CodeTabProps) {
  const files = useArtifactFiles(id)
  const [path, setPath] = useState<string | null>(null)
  useEffect(() => {
    if (place) setPath(place.file)
  }, [place])
  if (files.isPending) return <Loader m="lg" size="sm" aria-label="Loading the code" />
  if (files.isError) {
    return (
      <Alert color="red" variant="light" m="md" role="alert">
        {explain(files.error)}{' '}
        <Button size="compact-sm" variant="default" onClick={() => void files.refetch()}>
          Try again
        </Button>
      </Alert>
    )
  }
  const open = files.data.find(file => file.path === path) ?? files.data[0]
  if (!open) return null
  return (
    <div className={classes.codeTab}>
      {files.data.length > 1 && <FileList files={files.data} open={open.path} onOpen={setPath} />}
      <FileView key={open.path} file={open} place={place?.file === open.path ? place : null} />
    </div>
  )
}

function FileView({ file, place }: { file: ArtifactFile; place: Place | null }) {
  const source = useRef<HTMLPreElement>(null)
  useEffect(() => {
    if (!place) return
    // Not scrollIntoView: that would move everything around the code as well.
    const mark = source.current?.querySelector<HTMLElement>('[data-tone]')
    if (mark) source.current?.scrollTo({ top: mark.offsetTop - source.current.clientHeight / 3 })
    source.current?.focus()
  }, [place])
  const name = file.path.slice(file.path.lastIndexOf('/') + 1)
  return (
    <section className={classes.file} aria-label={file.path}>
      <div className={classes.fileBar}>
        <span className={classes.path}>{file.path}</span>
        <span className={classes.size}>{formatBytes(file.size)}</span>
        <CopyButton text={file.content} label="Copy code" />
        <Tooltip label="Download this file">
          <ActionIcon
            size="sm"
            aria-label={`Download ${name}`}
            onClick={() => saveBlob(new Blob([file.content], { type: 'text/plain' }), name)}
          >
            <IconDownload size={16} />
          </ActionIcon>
        </Tooltip>
      </div>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling region must be reachable by keyboard */}
      <pre ref={source} className={classes.source} tabIndex={0}>
        <HighlightedCode
          code={file.content.replace(/\n$/, '')}
          language={file.language ?? file.path.split('.').at(-1) ?? ''}
          hasLineNumbers
          {...(place ? { notes: markOf(place) } : {})}
        />
      </pre>
    </section>
  )
}

/** The line of a place stands out; what is wrong with it is told in the build report. */
function markOf({ line }: Place): ReadonlyMap<number, LineNote> {
  return new Map([[line, { tone: 'error', margin: null, below: null }]])
}

function FilePath({ path }: { path: string }) {
  const cut = path.lastIndexOf('/') + 1
  return (
    <span>
      {path.slice(cut)}
      {cut > 0 && <small>{path.slice(0, cut - 1)}</small>}
    </span>
  )
}

interface FileListProps {
  files: readonly ArtifactFile[]
  open: string
  onOpen: (path: string) => void
}

function FileList({ files, open, onOpen }: FileListProps) {
  return (
    <ul className={classes.files} aria-label="Files">
      {files.map(file => (
        <li key={file.path}>
          <UnstyledButton
            className={classes.fileLink}
            aria-current={file.path === open}
            title={file.path}
            onClick={() => onOpen(file.path)}
          >
            <IconFile size={15} stroke={1.6} aria-hidden />
            <FilePath path={file.path} />
          </UnstyledButton>
        </li>
      ))}
    </ul>
  )
}
