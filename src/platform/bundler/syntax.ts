import type { ImportedName, ImportStatement, Outline } from './index.ts'

/** A node of a syntax tree in ESTree's shape, as far as it is looked at here. */
export interface SyntaxNode {
  type: string
  start: number
  end: number
  [field: string]: unknown
}

/** What is gathered on the way through a tree. */
interface Gathered {
  bound: Set<string>
  used: Set<string>
  usedAtOnce: Set<string>
}

/** What a module holds at its top level, and which names it takes from elsewhere. */
export function readOutline(program: SyntaxNode, content: string): Outline {
  const body = nodesOf(program.body)
  const gathered: Gathered = { bound: new Set(), used: new Set(), usedAtOnce: new Set() }
  for (const statement of body) visit(statement, gathered, true)
  const imports = body.filter(node => node.type === 'ImportDeclaration')
  for (const statement of imports) for (const { local } of namesOf(statement)) gathered.bound.add(local)
  const own = body.filter(node => node.type !== 'ImportDeclaration' && typeof node.directive !== 'string')
  const free = (names: Set<string>) => [...names].filter(name => !gathered.bound.has(name)).sort()
  return {
    imports: imports.map(statement => importOf(statement)),
    directives: body
      .filter(node => typeof node.directive === 'string')
      .map(({ start, end }) => ({ start, end })),
    declares: own.flatMap(declaredBy),
    defaultExport: defaultExportOf(own),
    hasNamedExports: own.some(node => node.type === 'ExportNamedDeclaration'),
    uses: free(gathered.used),
    usesAtOnce: free(gathered.usedAtOnce),
    defines: own.some(definesSomething),
    isOnlyElements: own.length > 0 && own.every(isElement),
    isMovable: !content.startsWith('#!') && body.every(isMovable),
  }
}

function importOf(node: SyntaxNode): ImportStatement {
  const { start, end } = node
  const specifier = String((node.source as { value?: unknown }).value ?? '')
  return { start, end, specifier, names: namesOf(node) }
}

function namesOf(node: SyntaxNode): ImportedName[] {
  return nodesOf(node.specifiers).map(specifier => {
    const local = nameOf(specifier.local)
    const isType = node.importKind === 'type' || specifier.importKind === 'type'
    if (specifier.type === 'ImportDefaultSpecifier') return { imported: 'default', local, isType }
    if (specifier.type === 'ImportNamespaceSpecifier') return { imported: '*', local, isType }
    return { imported: nameOf(specifier.imported), local, isType }
  })
}

/** Names that a top-level statement declares; functions are there before their line is reached. */
function declaredBy(node: SyntaxNode): { name: string; isHoisted: boolean }[] {
  const inner = node.declaration
  if (/^Export(?:Named|Default)Declaration$/.test(node.type)) return isNode(inner) ? declaredBy(inner) : []
  if (node.type === 'VariableDeclaration') {
    const names = new Set<string>()
    for (const declarator of nodesOf(node.declarations)) bind(declarator.id, names)
    return [...names].map(name => ({ name, isHoisted: false }))
  }
  const isType = /^TS(?:Interface|TypeAlias)Declaration$/.test(node.type)
  const isFunction = /^(?:FunctionDeclaration|TSDeclareFunction)$/.test(node.type)
  const isOther = /^(?:ClassDeclaration|TSEnumDeclaration|TSModuleDeclaration)$/.test(node.type)
  const name = nameOf(node.id)
  return (isType || isFunction || isOther) && name ? [{ name, isHoisted: isType || isFunction }] : []
}

function defaultExportOf(body: readonly SyntaxNode[]): Outline['defaultExport'] {
  const node = body.find(statement => statement.type === 'ExportDefaultDeclaration')
  const inner = node?.declaration
  if (!node || !isNode(inner)) return null
  if (inner.type === 'Identifier') return { start: node.start, end: node.end, name: nameOf(inner) }
  const isDeclaration = /^(?:Function|Class)Declaration$/.test(inner.type) && nameOf(inner.id) !== ''
  return { start: node.start, end: inner.start, name: isDeclaration ? nameOf(inner.id) : null }
}

/** Whether it makes something to be used, rather than using what is there. */
function definesSomething(node: SyntaxNode): boolean {
  const inner = node.declaration
  if (isNode(inner)) return definesSomething(inner)
  if (node.type === 'VariableDeclaration')
    return nodesOf(node.declarations).some(declarator => holdsFunction(declarator.init))
  return /Declaration$|^TSDeclareFunction$|^(?:ArrowFunction|Function|Class)Expression$/.test(node.type)
}

/** A function or class, perhaps inside calls such as `memo(…)`. */
function holdsFunction(node: unknown): boolean {
  if (!isNode(node)) return false
  if (/^(?:ArrowFunction|Function|Class)Expression$/.test(node.type)) return true
  return node.type === 'CallExpression' && nodesOf(node.arguments).some(holdsFunction)
}

function isElement({ type, expression }: SyntaxNode): boolean {
  return (
    type === 'ExpressionStatement' && isNode(expression) && /^JSX(?:Element|Fragment)$/.test(expression.type)
  )
}

/** Whether a statement means the same in another module. */
function isMovable(node: SyntaxNode): boolean {
  if (node.type === 'ImportDeclaration') return nodesOf(node.attributes).length === 0
  if (node.type === 'ExportAllDeclaration' || node.type === 'TSImportEqualsDeclaration') return false
  if (node.type === 'TSExportAssignment' || node.type === 'TSNamespaceExportDeclaration') return false
  if (node.type !== 'ExportNamedDeclaration') return true
  return !isNode(node.source) && nodesOf(node.specifiers).every(item => nameOf(item.exported) !== 'default')
}

/** Fields that hold a name which is no reference, by the type of the node. */
const plainNames: Readonly<Record<string, readonly string[]>> = {
  LabeledStatement: ['label'],
  BreakStatement: ['label'],
  ContinueStatement: ['label'],
  MetaProperty: ['meta', 'property'],
  ImportDeclaration: ['specifiers', 'source', 'attributes'],
  ExportSpecifier: ['exported'],
  JSXAttribute: ['name'],
  TSQualifiedName: ['right'],
  TSNamedTupleMember: ['label'],
  TSEnumMember: ['id'],
  TSTypePredicate: ['parameterName'],
}
/** Nodes whose `key` or `property` is a plain name unless it is computed. */
const keyed =
  /^(?:MemberExpression|Property|MethodDefinition|PropertyDefinition|AccessorProperty|TS(?:Property|Method)Signature|TSAbstract\w+)$/

/** Gathers names; `isAtOnce` while what is visited runs as soon as the module does. */
function visit(node: SyntaxNode, gathered: Gathered, isAtOnce: boolean): void {
  if (node.type === 'Identifier' || node.type === 'JSXIdentifier') {
    if (node.type === 'JSXIdentifier' && /^[a-z]/.test(nameOf(node))) return
    gathered.used.add(nameOf(node))
    if (isAtOnce) gathered.usedAtOnce.add(nameOf(node))
    return
  }
  if (node.type === 'JSXMemberExpression') {
    visit(node.object as SyntaxNode, gathered, isAtOnce)
    return
  }
  bindNamesOf(node, gathered.bound)
  const skipped = plainNames[node.type] ?? []
  const isFunction = /Function/.test(node.type) && node.type !== 'TSFunctionType'
  const isLater =
    isFunction || (node.type === 'PropertyDefinition' && node.static !== true) || node.type.startsWith('TS')
  for (const [field, value] of Object.entries(node)) {
    const isPlain = skipped.includes(field) || (isKey(node, field) && node.computed !== true)
    if (!isPlain) for (const child of nodesOf(value)) visit(child, gathered, isAtOnce && !isLater)
  }
}

function isKey(node: SyntaxNode, field: string): boolean {
  return (field === 'key' || field === 'property') && keyed.test(node.type)
}

/** Names that a node brings into being anywhere in the module. */
function bindNamesOf(node: SyntaxNode, bound: Set<string>): void {
  if (node.type === 'VariableDeclarator') bind(node.id, bound)
  else if (node.type === 'CatchClause') bind(node.param, bound)
  else if (node.type === 'TSTypeParameter')
    bound.add(typeof node.name === 'string' ? node.name : nameOf(node.name))
  else if (/Function|Class|^TS(?:Interface|TypeAlias|Enum|Module)Declaration$/.test(node.type)) {
    bind(node.id, bound)
    const { params } = node
    for (const parameter of nodesOf(isNode(params) ? params.items : params)) bind(parameter, bound)
  } else if (node.type === 'TSIndexSignature' || node.type === 'TSMethodSignature') {
    for (const parameter of nodesOf(node.parameters ?? node.params)) bind(parameter, bound)
  }
}

function bind(pattern: unknown, bound: Set<string>): void {
  if (!isNode(pattern)) return
  if (pattern.type === 'Identifier') bound.add(nameOf(pattern))
  for (const field of ['left', 'argument', 'value', 'parameter', 'elements', 'properties'])
    if (pattern.type !== 'Identifier' && pattern.type !== 'MemberExpression')
      for (const inner of nodesOf(pattern[field])) bind(inner, bound)
}

function nameOf(node: unknown): string {
  const { name, value } = (node ?? {}) as { name?: unknown; value?: unknown }
  if (typeof name === 'string') return name
  return typeof value === 'string' ? value : ''
}

function isNode(value: unknown): value is SyntaxNode {
  return typeof value === 'object' && value !== null && typeof (value as { type?: unknown }).type === 'string'
}

function nodesOf(value: unknown): SyntaxNode[] {
  return (Array.isArray(value) ? value : [value]).filter(isNode)
}
