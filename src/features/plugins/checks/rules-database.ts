import type { Finding } from '../schema.ts'
import type { Outline, Scope } from './outline.ts'
import {
  argumentsOf,
  at,
  calledName,
  calls,
  childrenOf,
  isDatabaseCall,
  isLookup,
  isVariable,
  type Node,
  textOf,
} from './tree.ts'

const queries: ReadonlySet<string> = new Set(['query', 'get_results', 'get_row', 'get_var', 'get_col'])
const prepare: ReadonlySet<string> = new Set(['prepare'])
const formatters: ReadonlySet<string> = new Set(['sprintf'])
const metaCalls: ReadonlySet<string> = new Set([
  'get_post_meta',
  'update_post_meta',
  'add_post_meta',
  'delete_post_meta',
])
const orderCalls: ReadonlySet<string> = new Set(['wc_get_order', 'wc_get_orders', 'wc_create_order'])
const hooks: ReadonlySet<string> = new Set(['add_action', 'add_filter'])

/** SQL that is put together from values, and orders that are read as posts. */
export function findDatabaseTroubles(scope: Scope): Finding[] {
  const built = builtIn(scope)
  const findings: Finding[] = []
  for (const { node } of scope.of('call')) {
    if (isDatabaseCall(node, queries) && isBuilt(argumentsOf(node)[0], built)) findings.push(unprepared(node))
    if (isDatabaseCall(node, prepare) && isBuilt(argumentsOf(node)[0], built)) findings.push(unprepared(node))
    if (calls(node, metaCalls) && isOrder(argumentsOf(node)[0])) findings.push(orderMeta(node))
  }
  return findings
}

/** Variables that hold SQL with values in it. */
function builtIn(scope: Scope): ReadonlySet<string> {
  const built = new Set<string>()
  for (const { node } of scope.of('assign')) {
    const target = node.left as Node
    if (target.kind !== 'variable' || typeof target.name !== 'string') continue
    if (
      isBuilt(node.right as Node, built) &&
      /\b(?:select|insert|update|delete|replace|where)\b/i.test(literalsOf(node.right as Node))
    )
      built.add(target.name)
  }
  return built
}

/** Whether SQL has values in its text: anything but literals, constants and the names of tables. */
function isBuilt(sql: Node | undefined, built: ReadonlySet<string>): boolean {
  if (!sql) return false
  if (sql.kind === 'variable') return typeof sql.name === 'string' && built.has(sql.name)
  if (sql.kind === 'encapsed') {
    return (sql.value as Node[]).some(
      part => part.kind === 'encapsedpart' && isValue(part.expression as Node),
    )
  }
  if (sql.kind === 'bin' && sql.type === '.')
    return [sql.left, sql.right].some(side => isPart(side as Node, built))
  if (sql.kind === 'parenthesis') return isBuilt(sql.inner as Node, built)
  if (calls(sql, formatters))
    return argumentsOf(sql)
      .slice(1)
      .some(argument => isPart(argument, built))
  return false
}

function isPart(node: Node, built: ReadonlySet<string>): boolean {
  return (
    isBuilt(node, built) || (['encapsed', 'bin', 'parenthesis'].includes(node.kind) ? false : isValue(node))
  )
}

/** Literals, constants, `$wpdb->…` and variables that are named after tables are no values. */
function isValue(node: Node): boolean {
  if (['string', 'number', 'name', 'staticlookup', 'magic'].includes(node.kind)) return false
  if (isLookup(node) && isVariable(node.what as Node, 'wpdb')) return false
  if (isLookup(node) && /table|prefix/i.test(String((node.offset as Node).name ?? ''))) return false
  if (node.kind === 'variable') return !/table|prefix|charset|placeholders/i.test(String(node.name))
  if (node.kind === 'call')
    return !['absint', 'intval', 'esc_sql', 'prepare', 'get_charset_collate'].includes(calledName(node))
  if (node.kind === 'cast') return !['int', 'integer', 'float'].includes(String(node.type))
  return true
}

function literalsOf(node: Node): string {
  if (node.kind === 'string') return String(node.value)
  return childrenOf(node).map(literalsOf).join(' ')
}

/** Whether a post's id is an order's, by what it is called. */
function isOrder(node: Node | undefined): boolean {
  if (!node) return false
  if (node.kind === 'variable') return /order/i.test(String(node.name))
  if (node.kind === 'call') return isLookup(node.what as Node) && isOrder((node.what as Node).what as Node)
  return isLookup(node) && isOrder(node.what as Node)
}

/** A plugin that works with orders has to say whether it is ready for high-performance order storage. */
export function findMissingDeclaration(outline: Outline): Finding[] {
  let first: Node | null = null
  for (const { node } of outline.of('call')) {
    const isDeclaration = calledName(node) === 'declare_compatibility'
    if (isDeclaration && argumentsOf(node).some(one => textOf(one) === 'custom_order_tables')) return []
    const isAboutOrders =
      calls(node, orderCalls) ||
      (calls(node, hooks) && /woocommerce.*order/.test(textOf(argumentsOf(node)[0]) ?? ''))
    if (isAboutOrders) first ??= node
  }
  if (first === null) return []
  return [
    at(first, {
      rule: 'hpos-declaration',
      severity: 'warning',
      message:
        'The plugin works with orders and does not say that it is ready for high-performance order storage',
      advice:
        "Declare 'custom_order_tables' with FeaturesUtil::declare_compatibility() on before_woocommerce_init.",
    }),
  ]
}

function unprepared(node: Node): Finding {
  return at(node, {
    rule: 'sql-injection',
    severity: 'error',
    message: 'A query is put together from values',
    advice: 'Give the values to $wpdb->prepare() with %s, %d or %i in their place.',
  })
}

function orderMeta(node: Node): Finding {
  return at(node, {
    rule: 'order-meta',
    severity: 'error',
    message: `${calledName(node)}() is used for an order, which need not be a post`,
    advice: 'Use wc_get_order() with get_meta(), update_meta_data() and save().',
  })
}
