import parser from 'php-parser'
import type { Finding } from '../schema.ts'

/** A node of the syntax tree; what it holds depends on its kind. */
export interface Node {
  kind: string
  loc?: { start: { line: number } } | null
  [field: string]: unknown
}

/** Source as a tree. Throws what the parser says of source that is not PHP. */
export function parse(code: string): Node {
  const engine = new parser.Engine({
    parser: { suppressErrors: false, extractDoc: false },
    ast: { withPositions: true },
  })
  return engine.parseCode(code, 'plugin.php') as unknown as Node
}

export function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && typeof (value as Node).kind === 'string'
}

/** The nodes that a node holds, in the order of the source. */
export function childrenOf(node: Node): Node[] {
  const found: Node[] = []
  // Of all that a check does this is done most often: no pairs and no further lists are made for it.
  for (const field of Object.keys(node)) {
    const value = node[field]
    if (typeof value !== 'object' || value === null || field === 'loc') continue
    if (Array.isArray(value)) {
      for (const one of value) if (isNode(one)) found.push(one)
    } else if (isNode(value)) found.push(value)
  }
  return found
}

/** Visits a node and everything in it; `false` from the visitor goes no deeper. */
export function walk(node: Node, visit: (node: Node) => unknown): void {
  if (visit(node) === false) return
  for (const child of childrenOf(node)) walk(child, visit)
}

/** The name under which something is declared; empty when it has none. */
export function nameOf(node: Node): string {
  return typeof node.name === 'string' ? node.name : String((node.name as Node | undefined)?.name ?? '')
}

export function lineOf(node: Node): number {
  return node.loc?.start.line ?? 1
}

/** A finding at a node. */
export function at(node: Node, finding: Omit<Finding, 'line'>): Finding {
  return { ...finding, line: lineOf(node) }
}

/** The name of what is called, in lower case: a function, or the method of something. Empty when it is computed. */
export function calledName(call: Node): string {
  if (call.kind !== 'call') return ''
  const what = call.what as Node
  if (what.kind === 'name') return String(what.name).replace(/^\\/, '').toLowerCase()
  if (isLookup(what)) return memberName(what)
  return ''
}

export function isLookup(node: Node): boolean {
  return ['propertylookup', 'nullsafepropertylookup', 'staticlookup'].includes(node.kind)
}

/** The name behind `->` or `::`, in lower case. */
export function memberName(node: Node): string {
  const offset = node.offset as Node | undefined
  return offset && typeof offset.name === 'string' ? offset.name.toLowerCase() : ''
}

/** Whether a call is of a plain function with one of these names. */
export function calls(node: Node, names: ReadonlySet<string>): boolean {
  return node.kind === 'call' && (node.what as Node).kind === 'name' && names.has(calledName(node))
}

/** Whether a call is of a method of `$wpdb`. */
export function isDatabaseCall(node: Node, methods: ReadonlySet<string>): boolean {
  if (node.kind !== 'call') return false
  const what = node.what as Node
  return isLookup(what) && isVariable(what.what as Node, 'wpdb') && methods.has(memberName(what))
}

export function isVariable(node: Node | undefined, name: string): boolean {
  return node?.kind === 'variable' && node.name === name
}

export function argumentsOf(call: Node): Node[] {
  return (call.arguments as Node[] | undefined) ?? []
}

/** The text of a string literal; null for everything else. */
export function textOf(node: Node | undefined): string | null {
  return node?.kind === 'string' && typeof node.value === 'string' ? node.value : null
}

const functionKinds = new Set(['function', 'method', 'closure', 'arrowfunc'])

export function isFunction(node: Node): boolean {
  return functionKinds.has(node.kind)
}
