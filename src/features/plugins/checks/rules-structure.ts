import type { Finding } from '../schema.ts'
import { argumentsOf, at, calledName, calls, childrenOf, type Node, textOf, walk } from './tree.ts'

const domainAt: Readonly<Record<string, number>> = {
  ...{ __: 1, _e: 1, esc_html__: 1, esc_html_e: 1, esc_attr__: 1, esc_attr_e: 1 },
  ...{ _x: 2, _ex: 2, esc_html_x: 2, esc_attr_x: 2, _n: 3, _n_noop: 2, _nx: 4 },
}
const definedCall: ReadonlySet<string> = new Set(['defined'])
const guards: ReadonlySet<string> = new Set(['ABSPATH', 'WPINC', 'WP_UNINSTALL_PLUGIN'])

/** Whether the file refuses to be called outside WordPress: its first statements ask for ABSPATH and end otherwise. */
export function findMissingGuard(program: Node): Finding[] {
  const isGuarded = childrenOf(program).some(statement => {
    let asks = false
    let ends = false
    walk(statement, node => {
      if (calls(node, definedCall) && guards.has(textOf(argumentsOf(node)[0]) ?? '')) asks = true
      if (node.kind === 'exit' || node.kind === 'return') ends = true
      return !(node.kind === 'function' || node.kind === 'class')
    })
    return asks && ends
  })
  if (isGuarded) return []
  return [
    {
      rule: 'abspath-guard',
      severity: 'error',
      line: 1,
      message: 'The file can be called outside WordPress',
      advice: "Begin with: if ( ! defined( 'ABSPATH' ) ) { exit; }",
    },
  ]
}

/** Translated texts that WordPress cannot find: no text domain, another one than the header's, or no literal. */
export function findTranslationTroubles(program: Node, domain: string | null): Finding[] {
  const findings: Finding[] = []
  let isUsed = false
  walk(program, node => {
    const name = calledName(node)
    const position =
      Object.hasOwn(domainAt, name) && (node.what as Node).kind === 'name' ? domainAt[name] : undefined
    if (position === undefined) return
    isUsed = true
    const [text] = argumentsOf(node)
    const given = argumentsOf(node)[position]
    if (text && textOf(text) === null)
      findings.push(
        warning(
          node,
          'i18n-literal',
          `The text of ${name}() is no literal`,
          'Write the text itself, with %s for values, and use sprintf().',
        ),
      )
    if (!given)
      findings.push(
        warning(node, 'text-domain', `${name}() has no text domain`, 'Give the text domain of the header.'),
      )
    else if (domain !== null && textOf(given) !== domain)
      findings.push(
        warning(
          node,
          'text-domain',
          `The text domain is not the header's, which is ${domain}`,
          `Write '${domain}'.`,
        ),
      )
  })
  if (isUsed && domain === null)
    findings.push(
      warning(
        program,
        'header-text-domain',
        'Texts are translated, but the header has no Text Domain',
        'Add Text Domain to the header.',
      ),
    )
  return findings
}

const generic: ReadonlySet<string> = new Set(
  'get set add my do is the save init show display custom plugin wp wc test main handle update process render register create delete send load'.split(
    ' ',
  ),
)

/** Names that other plugins may have too. */
export function findUnprefixed(program: Node): Finding[] {
  if (childrenOf(program).some(child => child.kind === 'namespace')) return []
  const findings: Finding[] = []
  for (const node of topLevel(program)) {
    if (node.kind !== 'function' && node.kind !== 'class') continue
    const name = nameOf(node)
    const [first = '', ...rest] = name.split(/_|(?<=[a-z0-9])(?=[A-Z])/)
    if (rest.length > 0 && first.length > 1 && !generic.has(first.toLowerCase())) continue
    findings.push(
      warning(
        node,
        'unprefixed',
        `${name} is a name that another plugin may have`,
        'Begin it with a prefix of the plugin.',
      ),
    )
  }
  return findings
}

/** What PHP refuses when it compiles, and the parser lets pass. */
export function findCompileErrors(program: Node): Finding[] {
  const findings: Finding[] = []
  const abstract = new Set<string>()
  twice(
    topLevel(program).filter(node => node.kind === 'function'),
    'function',
    findings,
  )
  twice(
    topLevel(program).filter(node => ['class', 'interface', 'trait'].includes(node.kind)),
    'class',
    findings,
  )
  walk(program, (node, around) => {
    if (node.kind === 'class') {
      const body = (node.body as Node[]) ?? []
      twice(
        body.filter(member => member.kind === 'method'),
        'method',
        findings,
      )
      if (node.isAbstract) abstract.add(nameOf(node).toLowerCase())
      else
        for (const member of body)
          if (member.kind === 'method' && member.isAbstract)
            findings.push(compile(member, 'A class with an abstract method must be abstract'))
    }
    if (Array.isArray(node.arguments) && ['function', 'method', 'closure', 'arrowfunc'].includes(node.kind))
      twice(
        (node.arguments as Node[]).filter(argument => argument.kind === 'parameter'),
        'parameter',
        findings,
      )
    if (
      node.kind === 'assign' &&
      (node.left as Node).kind === 'variable' &&
      (node.left as Node).name === 'this'
    )
      findings.push(compile(node, 'Cannot assign to $this'))
    if ((node.kind === 'break' || node.kind === 'continue') && !isInLoop(around))
      findings.push(compile(node, `${node.kind} is outside a loop or switch`))
  })
  walk(program, node => {
    if (node.kind !== 'new' || (node.what as Node).kind !== 'name') return
    const name = String((node.what as Node).name).replace(/^\\/, '')
    if (abstract.has(name.toLowerCase()))
      findings.push(compile(node, `The abstract class ${name} cannot be made`))
  })
  return findings
}

/** Statements of the file and of its namespaces; what stands in an `if` is conditional and may be there twice. */
function topLevel(program: Node): Node[] {
  return childrenOf(program).flatMap(node => (node.kind === 'namespace' ? childrenOf(node) : [node]))
}

function nameOf(node: Node): string {
  return typeof node.name === 'string' ? node.name : String((node.name as Node | undefined)?.name ?? '')
}

function twice(nodes: readonly Node[], what: string, findings: Finding[]): void {
  const seen = new Set<string>()
  for (const node of nodes) {
    const name = what === 'parameter' ? nameOf(node) : nameOf(node).toLowerCase()
    if (seen.has(name)) findings.push(compile(node, `The ${what} ${nameOf(node)} is there twice`))
    seen.add(name)
  }
}

const loops: ReadonlySet<string> = new Set(['for', 'foreach', 'while', 'do', 'switch'])
const functions: ReadonlySet<string> = new Set(['function', 'method', 'closure', 'arrowfunc'])

function isInLoop(around: readonly Node[]): boolean {
  for (const outer of around.toReversed()) {
    if (loops.has(outer.kind)) return true
    if (functions.has(outer.kind)) return false
  }
  return false
}

function compile(node: Node, message: string): Finding {
  return at(node, {
    rule: 'compile',
    severity: 'error',
    message,
    advice: 'PHP stops here with a fatal error; mend it.',
  })
}

function warning(node: Node, rule: string, message: string, advice: string): Finding {
  return at(node, { rule, severity: 'warning', message, advice })
}
