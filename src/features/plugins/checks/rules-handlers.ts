import type { Finding } from '../schema.ts'
import type { Outline } from './outline.ts'
import { argumentsOf, at, calls, type Node, nameOf, textOf } from './tree.ts'

const nonces: ReadonlySet<string> = new Set(['check_ajax_referer', 'check_admin_referer', 'wp_verify_nonce'])
const capabilities: ReadonlySet<string> = new Set([
  'current_user_can',
  'user_can',
  'current_user_can_for_blog',
])
const hooks: ReadonlySet<string> = new Set(['add_action', 'add_filter'])
const routes: ReadonlySet<string> = new Set(['register_rest_route'])
const changes: ReadonlySet<string> = new Set([
  ...[
    'update_option',
    'delete_option',
    'add_option',
    'update_post_meta',
    'delete_post_meta',
    'add_post_meta',
  ],
  ...[
    'update_user_meta',
    'wp_insert_post',
    'wp_update_post',
    'wp_delete_post',
    'wp_insert_user',
    'wp_update_user',
  ],
  ...['wp_delete_user', 'wp_mail', 'set_transient'],
])
const databaseChanges: ReadonlySet<string> = new Set(['insert', 'update', 'delete', 'replace', 'query'])

/** Functions of a file by their name in lower case, methods by their own name, and what each does. */
interface Known {
  functions: ReadonlyMap<string, Node>
  doings: Outline['doings']
}

function knownIn({ of, doings }: Outline): Known {
  const named = [...of('function'), ...of('method')]
  return { functions: new Map(named.map(({ node }) => [nameOf(node).toLowerCase(), node])), doings }
}

/** Handlers of requests that anybody could make somebody else send, or that everybody may send. */
export function findHandlerTroubles(outline: Outline): Finding[] {
  const known = knownIn(outline)
  const handled = new Set<Node>()
  const findings: Finding[] = []
  for (const { node } of outline.of('call')) {
    if (calls(node, hooks)) findings.push(...judgeHook(node, known, handled))
    if (calls(node, routes)) findings.push(...judgeRoute(node))
  }
  for (const handler of known.functions.values()) {
    if (handled.has(handler) || !changesByForm(handler, known)) continue
    if (!holds(handler, nonces, known)) findings.push(noNonce(handler))
    if (!holds(handler, capabilities, known)) findings.push(noCapability(handler))
  }
  return findings
}

function judgeHook(hook: Node, known: Known, handled: Set<Node>): Finding[] {
  const [name, callback] = argumentsOf(hook)
  const event = textOf(name) ?? ''
  if (!/^(?:wp_ajax_|admin_post_)/.test(event)) return []
  const handler = handlerOf(callback, known)
  if (!handler || handled.has(handler)) return []
  handled.add(handler)
  const isForAll = /^(?:wp_ajax_nopriv_|admin_post_nopriv_)/.test(event)
  return [
    ...(holds(handler, nonces, known) ? [] : [noNonce(handler)]),
    ...(isForAll || holds(handler, capabilities, known) ? [] : [noCapability(handler)]),
  ]
}

/** The function that a callback names, when it is in this file. */
function handlerOf(callback: Node | undefined, { functions }: Known): Node | null {
  if (!callback) return null
  if (callback.kind === 'closure' || callback.kind === 'arrowfunc') return callback
  const name = textOf(callback)
  if (name !== null) return functions.get((name.split('::').at(-1) ?? name).toLowerCase()) ?? null
  if (callback.kind !== 'array') return null
  const last = (callback.items as (Node | null)[]).at(-1)
  const method = textOf((last?.kind === 'entry' ? (last.value as Node) : last) ?? undefined)
  return method === null ? null : (functions.get(method.toLowerCase()) ?? null)
}

/** Whether a function calls one of these, itself or through functions of this file, three deep. */
function holds(handler: Node, names: ReadonlySet<string>, { functions, doings }: Known): boolean {
  const reached = new Set([handler])
  let nearest = [handler]
  for (let depth = 0; depth <= 3 && nearest.length > 0; depth++) {
    const called = nearest.flatMap(node => [...(doings.get(node)?.calls ?? [])])
    if (called.some(name => names.has(name))) return true
    nearest = called.flatMap(name => functions.get(name) ?? []).filter(node => !reached.has(node))
    for (const node of nearest) reached.add(node)
  }
  return false
}

/** Whether a function reads a form and changes something. */
function changesByForm(handler: Node, { doings }: Known): boolean {
  const does = doings.get(handler)
  if (!does?.readsForm) return false
  const meets = (names: ReadonlySet<string>, called: ReadonlySet<string>) =>
    [...called].some(name => names.has(name))
  return meets(changes, does.calls) || meets(databaseChanges, does.databaseCalls)
}

function judgeRoute(call: Node): Finding[] {
  const options = argumentsOf(call)[2]
  if (options?.kind !== 'array') return []
  const items = (options.items as (Node | null)[]).filter(item => item?.kind === 'entry') as Node[]
  const lists = items.some(item => textOf(item.key as Node) === 'callback')
    ? [options]
    : items.map(item => item.value as Node).filter(value => value.kind === 'array')
  return lists.flatMap(list => judgeRouteOptions(list))
}

function judgeRouteOptions(options: Node): Finding[] {
  const items = (options.items as (Node | null)[]).filter(item => item?.kind === 'entry') as Node[]
  const optionOf = (key: string) =>
    items.find(item => textOf(item.key as Node) === key)?.value as Node | undefined
  if (!optionOf('callback')) return []
  if (!optionOf('permission_callback')) {
    return [
      at(options, {
        rule: 'rest-permission',
        severity: 'error',
        message: 'A REST route has no permission_callback',
        advice: "Add 'permission_callback' with a check of current_user_can().",
      }),
    ]
  }
  const method = textOf(optionOf('methods')) ?? 'GET'
  if (textOf(optionOf('permission_callback')) !== '__return_true' || method === 'GET') return []
  return [
    at(options, {
      rule: 'rest-permission',
      severity: 'error',
      message: 'A REST route that changes something is open to everybody',
      advice: 'Check current_user_can() in its permission_callback.',
    }),
  ]
}

function noNonce(handler: Node): Finding {
  return at(handler, {
    rule: 'missing-nonce',
    severity: 'error',
    message: 'A request is acted on without checking its nonce',
    advice:
      'Call check_ajax_referer() or check_admin_referer() first, and print wp_nonce_field() in the form.',
  })
}

function noCapability(handler: Node): Finding {
  return at(handler, {
    rule: 'missing-capability',
    severity: 'error',
    message: 'A request is acted on without asking what its sender may do',
    advice: "Return unless current_user_can( 'manage_woocommerce' ) or what fits.",
  })
}
