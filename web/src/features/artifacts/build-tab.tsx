import { Alert, Button, Group, Loader } from '@mantine/core'
import { IconAlertTriangle, IconCircleCheck, IconCircleX } from '@tabler/icons-react'
import type { UseQueryResult } from '@tanstack/react-query'
import { explain } from '../../api/errors.ts'
import type { BuildMessage, Preview } from '../../api/types.ts'
import { formatBytes } from '../../format.ts'
import classes from './artifacts.module.css'
import { fixBuildRequest } from './fix-request.ts'

interface BuildTabProps {
  title: string
  preview: UseQueryResult<Preview>
  onFix: ((message: string) => void) | null
}

/** How the build went: size, time and libraries, or each error with its place and its line. */
export function BuildTab({ title, preview, onFix }: BuildTabProps) {
  const build = preview.data?.build
  if (preview.isPending) return <Loader m="lg" size="sm" aria-label="Building" />
  if (preview.isError) {
    return (
      <Alert color="red" variant="light" m="md" role="alert">
        {explain(preview.error)}
      </Alert>
    )
  }
  if (!build) return <p className={classes.note}>This is shown as it is: there is nothing to build.</p>
  const errors = build.errors ?? []
  const warnings = build.warnings ?? []
  return (
    <div className={classes.build}>
      <p className={classes.verdict} data-ok={build.ok}>
        {build.ok ? <IconCircleCheck size={20} aria-hidden /> : <IconCircleX size={20} aria-hidden />}
        {build.ok
          ? 'Built'
          : `The build failed with ${errors.length} ${errors.length === 1 ? 'error' : 'errors'}`}
      </p>
      {build.ok && (
        <dl className={classes.facts}>
          {typeof build.bundleBytes === 'number' && (
            <Fact name="Size" value={formatBytes(build.bundleBytes)} />
          )}
          <Fact name="Time" value={`${Math.round(build.durationMs)} ms`} />
          <Fact name="Libraries" value={build.dependencies?.join(', ') || 'none'} />
        </dl>
      )}
      {errors.map(message => (
        <BuildProblem key={keyOf(message)} message={message} />
      ))}
      {warnings.map(message => (
        <BuildProblem key={keyOf(message)} message={message} isWarning />
      ))}
      <Group gap="xs">
        {!build.ok && onFix && (
          <Button size="compact-sm" onClick={() => onFix(fixBuildRequest(title, build))}>
            Fix this
          </Button>
        )}
        <Button
          size="compact-sm"
          variant="default"
          loading={preview.isFetching}
          onClick={() => void preview.refetch()}
        >
          Build again
        </Button>
      </Group>
    </div>
  )
}

function Fact({ name, value }: { name: string; value: string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  )
}

/** One message of a build: text, file and line, and the source line with a mark under the column. */
export function BuildProblem({ message, isWarning = false }: { message: BuildMessage; isWarning?: boolean }) {
  const { text, file, line, column, lineText } = message
  const place = [file, line, column === null ? null : column + 1].filter(part => part !== null).join(':')
  return (
    <section className={classes.problem} data-warning={isWarning || undefined}>
      <p>
        {isWarning ? (
          <IconAlertTriangle size={16} aria-label="Warning" />
        ) : (
          <IconCircleX size={16} aria-label="Error" />
        )}
        <span>{text}</span>
      </p>
      {place && <p className={classes.place}>{place}</p>}
      {lineText !== null && lineText !== undefined && (
        <pre>
          <code>
            {lineText}
            {column !== null && `\n${lineText.slice(0, column).replace(/[^\t]/g, ' ')}^`}
          </code>
        </pre>
      )}
    </section>
  )
}

function keyOf({ text, file, line, column }: BuildMessage): string {
  return [file, line, column, text].join(':')
}
