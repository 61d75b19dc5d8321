import type { Finding } from '../schema.ts'
import type { Scope } from './outline.ts'
import { inputIn, isTainted } from './taint.ts'
import { argumentsOf, at, calledName, calls, childrenOf, type Node, textOf } from './tree.ts'

const set = (text: string): ReadonlySet<string> => new Set(text.split(' '))

const shell = set('exec shell_exec system passthru proc_open popen pcntl_exec')
const decoders = set(
  'base64_decode gzinflate gzuncompress gzdecode str_rot13 hex2bin convert_uudecode strrev',
)
const callers = set('call_user_func call_user_func_array array_map usort register_shutdown_function')
const unserializers = set('unserialize maybe_unserialize')
const writers = set('file_put_contents fopen unlink rename copy mkdir rmdir move_uploaded_file')
const redirects = set('wp_redirect header')
const none: ReadonlySet<string> = new Set()

/** Code that runs code, commands or files that it should not. */
export function findForbidden(scope: Scope): Finding[] {
  const tainted = inputIn(scope)
  // Where nothing is read from outside, nothing can come from there.
  const isFromOutside = (value: Node | undefined) =>
    scope.inputs.length > 0 && value !== undefined && isTainted(value, tainted, none)
  return ['eval', 'encapsed', 'include', 'call'].flatMap(kind =>
    scope.of(kind).flatMap(({ node }) => [...forbidden(node, isFromOutside)]),
  )
}

type Asks = (value: Node | undefined) => boolean

function* forbidden(node: Node, isFromOutside: Asks): Generator<Finding> {
  if (node.kind === 'eval') {
    yield error(
      node,
      'eval',
      'eval runs text as code',
      'Write the code itself, or call a function by a fixed name.',
    )
    if (holdsDecoder(node)) yield error(node, 'obfuscation', 'Decoded text is run as code', noHiding)
  } else if (node.kind === 'encapsed' && node.type === 'shell') {
    yield error(node, 'shell', 'Backticks run a command of the operating system', noShell)
  } else if (node.kind === 'include') {
    const target = node.target as Node
    if (isFromOutside(target) || /^(?:https?|ftp|data|php|phar):/i.test(firstText(target)))
      yield error(
        node,
        'remote-include',
        'A file from outside is run',
        'Include fixed files of the plugin only.',
      )
  } else if (node.kind === 'call') yield* forbiddenCall(node, isFromOutside)
}

const noShell = 'Plugins must not run commands; use what WordPress offers instead.'
const noHiding = 'Write readable code; encoded code is refused.'

function* forbiddenCall(node: Node, isFromOutside: Asks): Generator<Finding> {
  const [first, second] = argumentsOf(node)
  const name = calledName(node)
  if ((node.what as Node).kind !== 'name') {
    const what = node.what as Node
    if (['variable', 'offsetlookup'].includes(what.kind) && isFromOutside(what))
      yield error(node, 'dynamic-call', 'What is called comes from outside', 'Choose among fixed names.')
    return
  }
  if (shell.has(name)) yield error(node, 'shell', `${name}() runs a command of the operating system`, noShell)
  if (name === 'create_function' || (name === 'assert' && isText(first)))
    yield error(node, 'eval', `${name}() runs text as code`, 'Write a closure or a condition instead.')
  if (name === 'preg_replace' && /^(.).*\1[a-z]*e[a-z]*$/is.test(textOf(first) ?? ''))
    yield error(node, 'eval', 'The modifier /e runs text as code', 'Use preg_replace_callback().')
  if (callers.has(name) && isFromOutside(first))
    yield error(node, 'dynamic-call', 'What is called comes from outside', 'Choose among fixed names.')
  if (unserializers.has(name) && isFromOutside(first))
    yield error(node, 'unserialize', 'Input is unserialized, which can make any object', 'Use json_decode().')
  if (name === 'extract' && isFromOutside(first))
    yield error(
      node,
      'extract',
      'extract() lets input set any variable',
      'Read the fields that are needed, by name.',
    )
  if (decoders.has(name) && (textOf(first) ?? '').length > 200)
    yield error(node, 'obfuscation', 'A long encoded text is decoded', noHiding)
  if (writers.has(name) && (isFromOutside(first) || (name !== 'fopen' && isFromOutside(second))))
    yield error(
      node,
      'file-path',
      `${name}() gets a path from outside`,
      'Use wp_handle_upload(), or a fixed path.',
    )
  if (redirects.has(name) && isFromOutside(first))
    yield error(
      node,
      'open-redirect',
      'The redirect goes where the request says',
      'Use wp_safe_redirect() and sanitise.',
    )
}

function error(node: Node, rule: string, message: string, advice: string): Finding {
  return at(node, { rule, severity: 'error', message, advice })
}

function isText(node: Node | undefined): boolean {
  return node?.kind === 'string' || node?.kind === 'encapsed' || (node?.kind === 'bin' && node.type === '.')
}

function holdsDecoder(node: Node): boolean {
  return childrenOf(node).some(child => calls(child, decoders) || holdsDecoder(child))
}

/** The text that an expression begins with, as far as it is written there. */
function firstText(node: Node): string {
  if (node.kind === 'string') return String(node.value)
  if (node.kind === 'parenthesis') return firstText(node.inner as Node)
  if (node.kind === 'bin') return firstText(node.left as Node)
  if (node.kind === 'encapsed') return firstText(((node.value as Node[])[0] as Node) ?? node)
  if (node.kind === 'encapsedpart') return firstText(node.expression as Node)
  return ''
}
