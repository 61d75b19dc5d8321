import { Alert, Anchor, Button, Group, Loader } from '@mantine/core'
import { IconAlertTriangle, IconCircleCheck, IconCircleX } from '@tabler/icons-react'
import type { UseQueryResult } from '@tanstack/react-query'
import { explain } from '../../api/errors.ts'
import type { BuildMessage, Preview } from '../../api/types.ts'
import { formatBytes } from '../../format.ts'
import classes from './artifacts.module.css'
import type { Place } from './code-tab.tsx'
import { FixButton } from './fix-button.tsx'
import type { Fixing } from './use-fix.ts'

interface BuildTabProps {
  preview: UseQueryResult<Preview>
  fixing: Fixing
  onPlace: (place: Place) => void
}

/** How the build went: size, time and libraries, and each error and warning with its place and its line. */
export function BuildTab({ preview, fixing, onPlace }: BuildTabProps) {
  const build = preview.data?.build
  if (preview.isPending) return <Loader m="lg" size="sm" aria-label="Building" />
  if (preview.isError) {
    return (
      <Alert color="red" variant="light" m="md" role="alert">
        {explain(preview.error)}{' '}
        <Button size="compact-sm" variant="default" onClick={() => void preview.refetch()}>
          Try again
        </Button>
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
        {build.ok ? 'Built' : `The build failed with ${counted(errors.length, 'error')}`}
        {warnings.length > 0 && ` and ${counted(warnings.length, 'warning')}`}
      </p>
      <dl className={classes.facts}>
        {typeof build.bundleBytes === 'number' && (
          <Fact name="Size" value={`${formatBytes(build.bundleBytes)}, libraries not counted`} />
        )}
        <Fact name="Time" value={formatTime(build.durationMs)} />
        {build.ok && <Fact name="Libraries" value={packagesOf(build.dependencies).join(', ') || 'none'} />}
      </dl>
      {errors.map(message => (
        <BuildProblem key={keyOf(message)} message={message} onPlace={onPlace} />
      ))}
      {warnings.map(message => (
        <BuildProblem key={keyOf(message)} message={message} onPlace={onPlace} isWarning />
      ))}
      <Group gap="xs">
        {!build.ok && <FixButton fixing={fixing} />}
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

/** Imports as the packages that they belong to: "react-dom/client" is of react-dom. */
function packagesOf(imports: readonly string[] = []): string[] {
  return [...new Set(imports.map(name => name.split('/', name.startsWith('@') ? 2 : 1).join('/')))]
}

function formatTime(ms: number): string {
  return ms < 1 ? 'under 1 ms' : `${Math.round(ms)} ms`
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`
}

interface BuildProblemProps {
  message: BuildMessage
  onPlace: (place: Place) => void
  isWarning?: boolean
}

/** One message of a build: text, the way to its place in the code, and the source line with a mark under the column. */
export function BuildProblem({ message, onPlace, isWarning = false }: BuildProblemProps) {
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
      {file !== null && line !== null ? (
        <Anchor
          component="button"
          type="button"
          className={classes.place ?? ''}
          onClick={() => onPlace({ file, line })}
        >
          {place}
        </Anchor>
      ) : (
        place && <p className={classes.place}>{place}</p>
      )}
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
