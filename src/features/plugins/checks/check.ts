import { readHeader } from '../package.ts'
import type { Finding } from '../schema.ts'
import { outlineOf } from './outline.ts'
import { findDatabaseTroubles, findMissingDeclaration } from './rules-database.ts'
import { findForbidden } from './rules-forbidden.ts'
import { findHandlerTroubles } from './rules-handlers.ts'
import { findInputTroubles } from './rules-input.ts'
import {
  findCompileErrors,
  findMissingGuard,
  findTranslationTroubles,
  findUnprefixed,
} from './rules-structure.ts'
import { type Node, parse } from './tree.ts'

/** Everything that the rules find in a plugin's code, by line: syntax, header, WordPress practice and dangers. */
export function checkPlugin(code: string): Finding[] {
  if (!/<\?php\b/.test(code)) return [notPhp]
  const header = readHeader(code)
  const findings = headerFindings(header)
  const program = parsed(code, findings)
  if (program) {
    const domain = header.get('text domain')?.value || null
    const outline = outlineOf(program)
    findings.push(
      ...findMissingGuard(program),
      ...findCompileErrors(outline),
      ...findHandlerTroubles(outline),
    )
    for (const scope of outline.scopes)
      findings.push(...findForbidden(scope), ...findInputTroubles(scope), ...findDatabaseTroubles(scope))
    findings.push(
      ...findMissingDeclaration(outline),
      ...findTranslationTroubles(outline, domain),
      ...findUnprefixed(program),
    )
  }
  return sorted(findings)
}

/** By line, each rule once a line. */
function sorted(findings: readonly Finding[]): Finding[] {
  const once = new Map(findings.map(finding => [`${finding.line} ${finding.rule}`, finding]))
  return [...once.values()].sort((a, b) => a.line - b.line || a.rule.localeCompare(b.rule))
}

/** The tree; null and a finding when the source is not PHP. */
function parsed(code: string, findings: Finding[]): Node | null {
  try {
    return parse(code)
  } catch (error) {
    const { message, lineNumber } = error as { message?: string; lineNumber?: number }
    const text = error instanceof RangeError ? 'it is too deeply nested' : (message ?? 'syntax error')
    findings.push({
      rule: 'syntax',
      severity: 'error',
      line: lineNumber ?? 1,
      message: text.replace(/^Parse Error\s*:\s*/i, '').replace(/ on line \d+$/, ''),
      advice: 'Write valid PHP; look at this line and the one before it.',
    })
    return null
  }
}

function headerFindings(header: ReturnType<typeof readHeader>): Finding[] {
  if (!header.get('plugin name')?.value) return [noHeader]
  if (header.get('version')?.value) return []
  return [
    {
      rule: 'header-version',
      severity: 'warning',
      line: 1,
      message: 'The plugin header has no Version',
      advice: 'Add Version: 1.0.0 to the header.',
    },
  ]
}

const notPhp: Finding = {
  rule: 'open-tag',
  severity: 'error',
  line: 1,
  message: 'There is no <?php',
  advice: 'A plugin is a PHP file: begin its first line with <?php.',
}

const noHeader: Finding = {
  rule: 'header',
  severity: 'error',
  line: 1,
  message: 'There is no plugin header with a Plugin Name',
  advice: 'Begin with a comment that holds Plugin Name, Description, Version and Text Domain.',
}
