import { calledName, childrenOf, isFunction, isLookup, isVariable, memberName, type Node } from './tree.ts'

/** A node with what stands around it. */
export interface Place {
  node: Node
  outer: Place | null
}

/** Places by the kind of their nodes, in the order of the source; of the kinds that a rule asks for. */
export type Places = (kind: string) => readonly Place[]

/** What one function does itself, or the file outside of its functions. */
export interface Scope {
  owner: Node
  of: Places
  /** Where it reads what came with the request. */
  inputs: readonly Place[]
  /** Its `=` and `foreach`, in their order. */
  assignments: readonly Node[]
}

/** What a function does with all that stands in it, for those who ask about it as a whole. */
export interface Doings {
  /** Functions and methods that it calls, in lower case. */
  calls: ReadonlySet<string>
  /** Methods of `$wpdb` that it calls. */
  databaseCalls: ReadonlySet<string>
  readsForm: boolean
}

/** A plugin's tree, looked through once for all rules. */
export interface Outline {
  program: Node
  of: Places
  scopes: readonly Scope[]
  doings: ReadonlyMap<Node, Doings>
}

const asked: ReadonlySet<string> = new Set([
  ...['call', 'eval', 'encapsed', 'include', 'echo', 'print', 'exit', 'assign', 'new', 'class'],
  ...['break', 'continue', 'function', 'method', 'closure', 'arrowfunc'],
])
const superglobals = new Set(['_GET', '_POST', '_REQUEST', '_COOKIE', '_SERVER', '_FILES'])
const forms = new Set(['_GET', '_POST', '_REQUEST'])

/** Whether a node is `$_GET`, `$_POST`, … itself. */
export function isInput(node: Node): boolean {
  return node.kind === 'variable' && typeof node.name === 'string' && superglobals.has(node.name)
}

class OpenScope implements Scope {
  readonly owner: Node
  readonly inputs: Place[] = []
  readonly assignments: Node[] = []
  readonly lists = new Map<string, Place[]>()

  constructor(owner: Node) {
    this.owner = owner
  }

  of = (kind: string): readonly Place[] => this.lists.get(kind) ?? []
}

interface OpenDoings extends Doings {
  calls: Set<string>
  databaseCalls: Set<string>
}

/** Looks through a tree: one walk, however many rules there are. */
export function outlineOf(program: Node): Outline {
  const all = new Map<string, Place[]>()
  const scopes: OpenScope[] = []
  const doings = new Map<Node, OpenDoings>()
  const open: OpenDoings[] = []

  function enter(owner: Place): void {
    const scope = new OpenScope(owner.node)
    scopes.push(scope)
    for (const child of childrenOf(owner.node)) visit({ node: child, outer: owner }, scope)
  }

  function visit(place: Place, scope: OpenScope): void {
    const { node } = place
    const { kind } = node
    if (asked.has(kind)) put(all, place)
    if (isFunction(node)) {
      const own = { calls: new Set<string>(), databaseCalls: new Set<string>(), readsForm: false }
      doings.set(node, own)
      open.push(own)
      enter(place)
      open.pop()
      return
    }
    if (asked.has(kind)) put(scope.lists, place)
    if (kind === 'call') noteCall(node, open)
    else if (kind === 'assign' || kind === 'foreach') scope.assignments.push(node)
    else if (isInput(node)) {
      scope.inputs.push(place)
      if (forms.has(String(node.name))) for (const own of open) own.readsForm = true
    }
    for (const child of childrenOf(node)) visit({ node: child, outer: place }, scope)
  }

  enter({ node: program, outer: null })
  return { program, of: kind => all.get(kind) ?? [], scopes, doings }
}

function put(lists: Map<string, Place[]>, place: Place): void {
  const list = lists.get(place.node.kind)
  if (list) list.push(place)
  else lists.set(place.node.kind, [place])
}

function noteCall(call: Node, open: readonly OpenDoings[]): void {
  if (open.length === 0) return
  const what = call.what as Node
  const isOfDatabase = isLookup(what) && isVariable(what.what as Node, 'wpdb')
  const name = isOfDatabase ? memberName(what) : calledName(call)
  for (const own of open) {
    own.calls.add(name)
    if (isOfDatabase) own.databaseCalls.add(name)
  }
}
