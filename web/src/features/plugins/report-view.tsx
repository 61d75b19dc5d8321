import { Text, UnstyledButton } from '@mantine/core'
import { IconAlertTriangle, IconCircleCheck, IconCircleX } from '@tabler/icons-react'
import artifacts from '../artifacts/artifacts.module.css'
import { exactly } from '../settings/times.ts'
import { FindingText } from './code-view.tsx'
import classes from './plugins.module.css'
import type { PluginVersion } from './queries.ts'
import { countsOf } from './words.ts'

interface ReportViewProps {
  version: PluginVersion
  onLine: (line: number) => void
}

/** What the checks say of a version: the verdict, then each finding with the way to its line. */
export function ReportView({ version, onLine }: ReportViewProps) {
  const { report, origin, isFinal, createdAt } = version
  const Icon = report.errors > 0 ? IconCircleX : report.warnings > 0 ? IconAlertTriangle : IconCircleCheck
  const counts = countsOf(report)
  return (
    <div className={artifacts.build}>
      <p className={artifacts.verdict} data-ok={report.errors === 0}>
        <Icon size={20} aria-hidden />
        {counts.charAt(0).toUpperCase() + counts.slice(1)}
        {isFinal && ': this version is final'}
      </p>
      <Text size="sm" c="dimmed">
        {origin === 'client' ? 'Handed in over the API' : 'Written by the model'}, {exactly(createdAt)}.
        Checked for syntax, WordPress practice and dangers in {report.durationMs} ms.
        {report.errors > 0 && ' A version with errors does not become final: ask for them to be mended.'}
      </Text>
      {report.findings.length > 0 && (
        <ul className={classes.findings} aria-label="Findings">
          {report.findings.map(finding => (
            <li key={`${finding.line} ${finding.rule}`} data-severity={finding.severity}>
              <UnstyledButton className={classes.line} onClick={() => onLine(finding.line)}>
                Line {finding.line}
              </UnstyledButton>
              <FindingText finding={finding} />
            </li>
          ))}
        </ul>
      )}
    </div>
  )
}
