import parser from 'php-parser'
import { readHeader } from '../package.ts'
import type { Finding } from '../schema.ts'

/** Everything that the rules find in a plugin's code, by line: syntax, and the header that WordPress reads. */
export function checkPlugin(code: string): Finding[] {
  if (!/<\?php\b/.test(code)) return [notPhp]
  const findings = syntaxFindings(code)
  if (!readHeader(code).get('plugin name')?.value) findings.push(noHeader)
  return findings
}

/** What the parser cannot read; nothing when it can. */
function syntaxFindings(code: string): Finding[] {
  try {
    new parser.Engine({ parser: { suppressErrors: false }, ast: { withPositions: true } }).parseCode(
      code,
      'plugin.php',
    )
    return []
  } catch (error) {
    const { message, lineNumber } = error as { message?: string; lineNumber?: number }
    const text = error instanceof RangeError ? 'it is too deeply nested' : (message ?? 'syntax error')
    return [
      {
        rule: 'syntax',
        severity: 'error',
        line: lineNumber ?? 1,
        message: text.replace(/^Parse Error\s*:\s*/i, '').replace(/ on line \d+$/, ''),
        advice: 'Write valid PHP; look at this line and the one before it.',
      },
    ]
  }
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
