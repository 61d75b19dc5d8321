import type { Finding } from '../schema.ts'
import { escapers, isAsked, isHandled, isInput, isTainted, type Tainted, taintedIn } from './taint.ts'
import { argumentsOf, at, calledName, calls, type Node, type Scope } from './tree.ts'

const printers: ReadonlySet<string> = new Set(['printf', 'vprintf', 'print_r', 'wp_die', '_e', 'echo'])

/** Input that is printed unescaped, or used as it came. */
export function findInputTroubles(scope: Scope): Finding[] {
  const unescaped = taintedIn(scope, escapers)
  const findings: Finding[] = []
  for (const { node, around } of scope.nodes) {
    for (const shown of printedBy(node)) findings.push(...judgePrinted(shown, { unescaped, scope }))
    if (isInput(node) && isRaw(node, around)) findings.push(unsanitized(node))
  }
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

function judgePrinted(shown: Node, { unescaped, scope }: { unescaped: Tainted; scope: Scope }): Finding[] {
  if (isTainted(shown, unescaped, escapers)) {
    return [
      at(shown, {
        rule: 'unescaped-input',
        severity: 'error',
        message: 'What came with the request is printed unescaped',
        advice: 'Wrap it in esc_html(), esc_attr() or esc_url() where it is printed.',
      }),
    ]
  }
  const loose = looseIn(shown, scope)
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
function looseIn(node: Node, scope: Scope): Node | null {
  if (node.kind === 'call') return stored.has(calledName(node)) ? node : null
  if (node.kind === 'bin' && node.type === '.')
    return looseIn(node.left as Node, scope) ?? looseIn(node.right as Node, scope)
  if (node.kind === 'parenthesis') return looseIn(node.inner as Node, scope)
  if (node.kind === 'variable') {
    const source = scope.nodes.find(
      ({ node: one }) =>
        one.kind === 'assign' &&
        (one.left as Node).name === node.name &&
        (one.left as Node).kind === 'variable',
    )
    const value = source?.node.right as Node | undefined
    return value?.kind === 'call' && stored.has(calledName(value)) ? node : null
  }
  return null
}

/** Whether input is used here as it came: not asked about, not made to fit, not printed (which is judged apart). */
function isRaw(node: Node, around: readonly Node[]): boolean {
  const lookup = around.at(-1)
  const whole = lookup?.kind === 'offsetlookup' && lookup.what === node ? lookup : node
  const outside = whole === node ? around : around.slice(0, -1)
  if (isHandled(outside) || isAsked(whole, outside)) return false
  return !outside.some(
    outer => ['echo', 'print', 'exit', 'include', 'eval'].includes(outer.kind) || calls(outer, printers),
  )
}

function unsanitized(node: Node): Finding {
  return at(node, {
    rule: 'unsanitized-input',
    severity: 'error',
    message: `$${String(node.name)} is used as it came`,
    advice: 'Read it through sanitize_text_field( wp_unslash( … ) ), absint() or what fits.',
  })
}
