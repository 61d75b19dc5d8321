import type { Finding } from '../schema.ts'
import type { Place, Scope } from './outline.ts'
import { escapers, isAsked, isHandled, isTainted, type Tainted, taintedIn } from './taint.ts'
import { argumentsOf, at, calledName, calls, isFunction, type Node } from './tree.ts'

const printers: ReadonlySet<string> = new Set(['printf', 'vprintf', 'print_r', 'wp_die', '_e', 'echo'])

/** Input that is printed unescaped, or used as it came. */
export function findInputTroubles(scope: Scope): Finding[] {
  const unescaped = taintedIn(scope, escapers)
  const findings: Finding[] = []
  const sources = sourcesOf(scope)
  for (const kind of ['echo', 'print', 'exit', 'call']) {
    for (const { node } of scope.of(kind))
      for (const shown of printedBy(node))
        findings.push(...judgePrinted(shown, { scope, unescaped, sources }))
  }
  for (const input of scope.inputs) if (isRaw(input)) findings.push(unsanitized(input.node))
  return findings
}

/** The values that a node prints. */
function printedBy(node: Node): Node[] {
  if (node.kind === 'echo') return node.expressions as Node[]
  if (node.kind === 'print') return [node.expression as Node]
  if (node.kind === 'exit' && node.expression) return [node.expression as Node]
  if (calls(node, printers)) {
    return ['printf', 'vprintf'].includes(calledName(node))
      ? argumentsOf(node)
      : argumentsOf(node).slice(0, 1)
  }
  return []
}

/** What each variable of a scope is first set to. */
type Sources = ReadonlyMap<unknown, Node>

function sourcesOf(scope: Scope): Sources {
  const sources = new Map<unknown, Node>()
  for (const { node } of scope.of('assign')) {
    const target = node.left as Node
    if (target.kind === 'variable' && !sources.has(target.name)) sources.set(target.name, node.right as Node)
  }
  return sources
}

interface Known {
  scope: Scope
  unescaped: Tainted
  sources: Sources
}

function judgePrinted(shown: Node, { scope, unescaped, sources }: Known): Finding[] {
  if (scope.inputs.length > 0 && isTainted(shown, unescaped, escapers)) {
    return [
      at(shown, {
        rule: 'unescaped-input',
        severity: 'error',
        message: 'What came with the request is printed unescaped',
        advice: 'Wrap it in esc_html(), esc_attr() or esc_url() where it is printed.',
      }),
    ]
  }
  const loose = looseIn(shown, sources)
  return loose
    ? [
        at(loose, {
          rule: 'unescaped-output',
          severity: 'warning',
          message: 'A stored value is printed unescaped',
          advice: 'Wrap it in esc_html(), esc_attr(), esc_url() or wp_kses_post() where it is printed.',
        }),
      ]
    : []
}

const stored: ReadonlySet<string> = new Set([
  ...[
    'get_option',
    'get_post_meta',
    'get_user_meta',
    'get_term_meta',
    'get_transient',
    'get_theme_mod',
    'get_meta',
  ],
  ...['__', '_x', '_n', 'get_the_title'],
])

/** What of a printed value comes from the database or a translation, and passed no escaper. */
function looseIn(node: Node, sources: Sources): Node | null {
  if (node.kind === 'call') return stored.has(calledName(node)) ? node : null
  if (node.kind === 'bin' && node.type === '.')
    return looseIn(node.left as Node, sources) ?? looseIn(node.right as Node, sources)
  if (node.kind === 'parenthesis') return looseIn(node.inner as Node, sources)
  if (node.kind === 'variable') {
    const value = sources.get(node.name)
    return value?.kind === 'call' && stored.has(calledName(value)) ? node : null
  }
  return null
}

/** Whether input is used here as it came: not asked about, not made to fit, not printed (which is judged apart). */
function isRaw(input: Place): boolean {
  const { outer } = input
  const whole = outer?.node.kind === 'offsetlookup' && outer.node.what === input.node ? outer : input
  return !isHandled(whole) && !isAsked(whole) && !isPrinted(whole)
}

function isPrinted({ outer }: Place): boolean {
  for (let place = outer; place && !isFunction(place.node); place = place.outer) {
    const { node } = place
    if (['echo', 'print', 'exit', 'include', 'eval'].includes(node.kind) || calls(node, printers)) return true
  }
  return false
}

function unsanitized(node: Node): Finding {
  return at(node, {
    rule: 'unsanitized-input',
    severity: 'error',
    message: `$${String(node.name)} is used as it came`,
    advice: 'Read it through sanitize_text_field( wp_unslash( … ) ), absint() or what fits.',
  })
}
