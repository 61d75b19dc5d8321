import { Alert, Button, Loader, UnstyledButton } from '@mantine/core'
import { IconFile } from '@tabler/icons-react'
import { useState } from 'react'
import { explain } from '../../api/errors.ts'
import type { ArtifactFile } from '../../api/types.ts'
import { CopyButton } from '../../code/copy-button.tsx'
import { HighlightedCode } from '../../code/highlighted-code.tsx'
import { formatBytes } from '../../format.ts'
import classes from './artifacts.module.css'
import { useArtifactFiles } from './queries.ts'

/** The files of an artifact, in colour with line numbers; a list to choose from when there are several. */
export function CodeTab({ id }: { id: string }) {
  const files = useArtifactFiles(id)
  const [path, setPath] = useState<string | null>(null)
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
      <section className={classes.file} aria-label={open.path}>
        <div className={classes.fileBar}>
          <span className={classes.path}>{open.path}</span>
          <span className={classes.size}>{formatBytes(open.size)}</span>
          <CopyButton text={open.content} label="Copy code" />
        </div>
        {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling region must be reachable by keyboard */}
        <pre className={classes.source} tabIndex={0}>
          <HighlightedCode
            key={open.path}
            code={open.content.replace(/\n$/, '')}
            language={open.language ?? open.path.split('.').at(-1) ?? ''}
            hasLineNumbers
          />
        </pre>
      </section>
    </div>
  )
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
