/** How much a finding matters, the least first. */
const severities = ['low', 'medium', 'high', 'critical'] as const
export type Severity = (typeof severities)[number]

/** One place in code that deserves a second look. */
export interface SecurityFinding {
  rule: string
  severity: Severity
  file: string
  /** 1-based. */
  line: number
  message: string
}

/** What a look through the code found. It reads text and runs nothing: silence is no proof. */
export interface SecurityReport {
  /** No finding is high or critical. */
  isSecure: boolean
  /** The worst finding's severity; low when there is none. */
  riskLevel: Severity
  /** 100 with no findings, less by each; 0 at least. */
  score: number
  findings: SecurityFinding[]
}

interface Rule {
  name: string
  severity: Severity
  pattern: RegExp
  message: string
}

const rules: readonly Rule[] = [
  {
    name: 'secret-in-code',
    severity: 'critical',
    pattern:
      /\b(?:AKIA[0-9A-Z]{16}|sk-[A-Za-z0-9_-]{20,}|sk_live_[A-Za-z0-9]{16,}|gh[pousr]_[A-Za-z0-9]{30,}|AIza[\w-]{30,})\b|(?:api[_-]?key|secret|passw(?:or)?d|access[_-]?token)["']?\s{0,5}[:=]\s{0,5}["'][A-Za-z0-9_\-+/=]{16,}["']/i,
    message: 'A key or password stands in the code; read it from the environment instead',
  },
  {
    name: 'eval',
    severity: 'high',
    pattern: /(?<![\w.$])(?:eval|exec)\s{0,5}\((?!\s{0,5}\))|\bnew\s+Function\s{0,5}\(/,
    message: 'Text is run as code',
  },
  {
    name: 'shell-command',
    severity: 'high',
    pattern:
      /\b(?:os\.system|os\.popen|shell_exec|passthru|proc_open)\s{0,5}\(|\bshell\s{0,5}=\s{0,5}True\b|\b(?:execSync|child_process\.exec)\s{0,5}\(/,
    message: 'A shell command is run; give the program and its arguments apart',
  },
  {
    name: 'sql-from-parts',
    severity: 'high',
    pattern:
      /\b(?:select\s[^"'`]{1,200}\sfrom|insert\s+into|update\s[^"'`]{1,100}\sset|delete\s+from)\b[^"'`]{0,300}(?:\$\{|["']\s{0,5}(?:\+|\.|%)\s{0,5}[$\w]|\{\w+\})/i,
    message: 'SQL is put together from parts; use parameters',
  },
  {
    name: 'unsafe-deserialisation',
    severity: 'high',
    pattern:
      /\b(?:pickle|marshal)\.loads?\s{0,5}\(|\byaml\.load\s{0,5}\((?!.{0,200}SafeLoader)|(?<![\w.])unserialize\s{0,5}\(/,
    message: 'Data from outside may bring code with it; use a plain data format',
  },
  {
    name: 'certificates-unchecked',
    severity: 'high',
    pattern:
      /\brejectUnauthorized\s{0,5}:\s{0,5}false\b|\bverify\s{0,5}=\s{0,5}False\b|NODE_TLS_REJECT_UNAUTHORIZED/,
    message: 'Certificates of servers are not checked',
  },
  {
    name: 'raw-html',
    severity: 'medium',
    pattern:
      /\bdangerouslySetInnerHTML\b|\.(?:inner|outer)HTML\s{0,5}\+?=(?!=)|\.insertAdjacentHTML\s{0,5}\(|\bdocument\.write(?:ln)?\s{0,5}\(/,
    message: 'Text is put into the page as HTML; make sure that no person or server decides what it says',
  },
  {
    name: 'script-url',
    severity: 'medium',
    pattern: /["'`]\s{0,5}javascript:(?!\s{0,5}void\(0\)|;)/i,
    message: 'A link runs a script',
  },
  {
    name: 'guessable-secret',
    severity: 'medium',
    pattern:
      /\b\w{0,40}(?:token|secret|password|otp)\w{0,40}\s{0,5}=[^=].{0,200}\b(?:Math\.random|random\.(?:random|randint|choice))\s{0,5}\(/i,
    message: 'A secret is made from a generator that can be guessed',
  },
  {
    name: 'token-in-storage',
    severity: 'low',
    pattern: /\b(?:local|session)Storage\.setItem\s{0,5}\(\s{0,5}["'`][^"'`]{0,80}(?:token|secret|password)/i,
    message: 'A token is kept where every script of the page can read it',
  },
  {
    name: 'message-to-anyone',
    severity: 'low',
    pattern: /\.postMessage\s{0,5}\(.{0,300},\s{0,5}["']\*["']/,
    message: 'A message goes to whatever page is there; name its origin',
  },
  {
    name: 'unencrypted',
    severity: 'low',
    pattern: /["'`]http:\/\/(?!localhost|127\.|0\.0\.0\.0|\[::1\]|www\.w3\.org|schemas?\.)[a-z0-9]/i,
    message: 'An address is called without encryption',
  },
]

const cost: Record<Severity, number> = { low: 3, medium: 10, high: 25, critical: 40 }
const mostFindings = 50
const longestLine = 2000

/** Looks through the lines of code for what is often a weakness. */
export function examineCode(files: readonly { path: string; content: string }[]): SecurityReport {
  const findings = files.flatMap(file => findingsIn(file)).slice(0, mostFindings)
  const worst = Math.max(0, ...findings.map(finding => severities.indexOf(finding.severity)))
  const lost = findings.reduce((sum, finding) => sum + cost[finding.severity], 0)
  return {
    isSecure: worst < severities.indexOf('high'),
    riskLevel: severities[worst] ?? 'low',
    score: Math.max(0, 100 - lost),
    findings,
  }
}

function findingsIn({ path, content }: { path: string; content: string }): SecurityFinding[] {
  return content.split('\n').flatMap((line, index) => {
    const text = line.slice(0, longestLine)
    if (isComment(text)) return []
    return rules
      .filter(rule => rule.pattern.test(text))
      .map(({ name, severity, message }) => ({ rule: name, severity, file: path, line: index + 1, message }))
  })
}

function isComment(line: string): boolean {
  return /^\s*(?:\/\/|\*|\/\*|#(?!\s*define)|<!--)/.test(line)
}
