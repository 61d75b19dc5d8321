import type { Finding } from '../schema.ts'
import type { Outline, Place } from './outline.ts'
import {
  argumentsOf,
  at,
  calledName,
  calls,
  childrenOf,
  isVariable,
  type Node,
  nameOf,
  textOf,
  walk,
} from './tree.ts'

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
export function findTranslationTroubles(outline: Outline, domain: string | null): Finding[] {
  const findings: Finding[] = []
  let isUsed = false
  for (const { node } of outline.of('call')) {
    const name = calledName(node)
    const position =
      Object.hasOwn(domainAt, name) && (node.what as Node).kind === 'name' ? domainAt[name] : undefined
    if (position === undefined) continue
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
  }
  if (isUsed && domain === null)
    findings.push(
      warning(
        outline.program,
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
export function findCompileErrors({ program, of }: Outline): Finding[] {
  const declared = topLevel(program)
  return [
    ...twice(
      declared.filter(node => node.kind === 'function'),
      'function',
    ),
    ...twice(
      declared.filter(node => ['class', 'interface', 'trait'].includes(node.kind)),
      'class',
    ),
    ...[...functions].flatMap(kind => of(kind).flatMap(({ node }) => parametersTwice(node))),
    ...of('class').flatMap(({ node }) => classTroubles(node)),
    ...abstractMade(of),
    ...of('assign')
      .filter(({ node }) => isVariable(node.left as Node, 'this'))
      .map(({ node }) => compile(node, 'Cannot assign to $this')),
    ...[...of('break'), ...of('continue')]
      .filter(place => !isInLoop(place))
      .map(({ node }) => compile(node, `${node.kind} is outside a loop or switch`)),
  ]
}

function parametersTwice(node: Node): Finding[] {
  const given = Array.isArray(node.arguments) ? (node.arguments as Node[]) : []
  return twice(
    given.filter(argument => argument.kind === 'parameter'),
    'parameter',
  )
}

function classTroubles(node: Node): Finding[] {
  const methods = ((node.body as Node[] | undefined) ?? []).filter(member => member.kind === 'method')
  const bodiless = node.isAbstract ? [] : methods.filter(method => method.isAbstract)
  return [
    ...twice(methods, 'method'),
    ...bodiless.map(method => compile(method, 'A class with an abstract method must be abstract')),
  ]
}

function abstractMade(of: Outline['of']): Finding[] {
  const abstract = of('class').filter(({ node }) => node.isAbstract)
  const names = new Set(abstract.map(({ node }) => nameOf(node).toLowerCase()))
  return of('new').flatMap(({ node }) => {
    if ((node.what as Node).kind !== 'name') return []
    const name = String((node.what as Node).name).replace(/^\\/, '')
    return names.has(name.toLowerCase()) ? [compile(node, `The abstract class ${name} cannot be made`)] : []
  })
}

/** Statements of the file and of its namespaces; what stands in an `if` is conditional and may be there twice. */
function topLevel(program: Node): Node[] {
  return childrenOf(program).flatMap(node => (node.kind === 'namespace' ? childrenOf(node) : [node]))
}

function twice(nodes: readonly Node[], what: string): Finding[] {
  const seen = new Set<string>()
  return nodes.flatMap(node => {
    const name = what === 'parameter' ? nameOf(node) : nameOf(node).toLowerCase()
    if (seen.has(name)) return [compile(node, `The ${what} ${nameOf(node)} is there twice`)]
    seen.add(name)
    return []
  })
}

const loops: ReadonlySet<string> = new Set(['for', 'foreach', 'while', 'do', 'switch'])
const functions: ReadonlySet<string> = new Set(['function', 'method', 'closure', 'arrowfunc'])

function isInLoop({ outer }: Place): boolean {
  for (let place = outer; place && !functions.has(place.node.kind); place = place.outer) {
    if (loops.has(place.node.kind)) return true
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
