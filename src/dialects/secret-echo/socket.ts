import type { IncomingMessage } from 'node:http'
import type { Plugins } from '../../features/plugins/index.ts'
import { AppError, toAppError } from '../../lib/errors.ts'
import type { Identity } from '../../transport/auth.ts'
import { parseFrame } from '../../transport/frames.ts'
import type { Handshakes } from '../../transport/handshakes.ts'
import type { UpgradeHandler } from '../../transport/upgrades.ts'
import type { MessageHandler, SocketLine, WebSockets } from '../../transport/websocket.ts'
import { secretEchoReasons } from '../dialects.ts'
import { errorFrame, greetings, turnFrames } from './frames.ts'
import { ownId } from './present.ts'

export interface SocketDeps {
  plugins: Plugins
  handshakes: Handshakes
  webSockets: WebSockets
  /** Called before each turn: counts it as REST does, and throws AppError limited. */
  admitStart(identity: Identity): Promise<void>
  /** Told of bugs, which clients are not. */
  report(error: unknown): void
}

/** Why a socket is closed right after it opened. */
class Refused extends Error {
  readonly code: number

  constructor(code: number, reason: string) {
    super(reason)
    this.code = code
  }
}

/**
 * `/plugin_generator?plugin_id=…&token=…`. As published the upgrade always succeeds, and a refusal is a close right after.
 * The token may be in the Authorization header, which wins, or in the URL; there a ticket can stand in its place.
 */
export function pluginSocket(deps: SocketDeps): UpgradeHandler {
  return async upgrade => {
    let line: SocketLine | null = null
    let release = () => {}
    try {
      const { identity, pluginId } = await enter(deps, upgrade.request)
      release = deps.handshakes.admit(identity, () => line?.close(1008, 'Unauthorized: Session expired'))
      upgrade.socket.once('close', release)
      if (upgrade.socket.destroyed) return release()
      deps.webSockets.open(upgrade, opened => {
        line = opened
        return converse(deps, opened, { identity, pluginId })
      })
    } catch (thrown) {
      release()
      const { code, message } = asRefusal(deps, thrown)
      deps.webSockets.open(upgrade, opened => {
        opened.close(code, message)
        return () => {}
      })
    }
  }
}

interface Place {
  identity: Identity
  /** Ours, without a prefix. */
  pluginId: string
}

async function enter({ handshakes, plugins }: SocketDeps, request: IncomingMessage): Promise<Place> {
  const query = new URLSearchParams((request.url ?? '').split('?')[1] ?? '')
  const identity = await handshakes.identify(request, shownIn(request, query.get('token')))
  const published = query.get('plugin_id')
  if (!published) throw new Refused(1000, 'Missing plugin_id')
  const pluginId = ownId(published)
  await plugins.read(identity.accountId, pluginId)
  return { identity, pluginId }
}

/** The header wins over the URL; a ticket may stand where this API has its token. */
function shownIn({ headers }: IncomingMessage, token: string | null) {
  if (headers.authorization !== undefined || !token) return {}
  return token.startsWith('ticket_') ? { ticket: token } : { token }
}

function asRefusal(deps: SocketDeps, thrown: unknown): Refused {
  if (thrown instanceof Refused) return thrown
  const error = toAppError(thrown)
  if (error.kind === 'internal') deps.report(thrown)
  if (error.kind === 'unauthenticated')
    return new Refused(1008, `Unauthorized: ${secretEchoReasons[error.code] ?? 'Invalid token'}`)
  if (error.kind === 'missing') return new Refused(1008, 'PluginGenerator not found')
  if (error.kind === 'internal') return new Refused(1011, 'Something went wrong on our side')
  return new Refused(1013, error.message.slice(0, 100))
}

/** Handles the messages of one client, one turn after the other. */
function converse(deps: SocketDeps, line: SocketLine, place: Place): MessageHandler {
  let turns: Promise<void> = Promise.resolve()
  let isGreeted = false
  const tell = (frame: object) => line.send(JSON.stringify(frame))
  return async text => {
    let message: string
    try {
      message = messageIn(text, place)
    } catch (thrown) {
      tell(errorFrame(toAppError(thrown).message))
      return
    }
    if (message === 'ack') return
    if (!isGreeted) for (const greeting of greetings) tell(greeting)
    isGreeted = true
    const turn = () => answer(deps, line, { ...place, message }).catch(thrown => tell(failure(deps, thrown)))
    turns = turns.then(() => turn()).then(() => {})
    await turns
  }
}

function failure(deps: SocketDeps, thrown: unknown): object {
  const error = toAppError(thrown)
  if (error.kind === 'internal') deps.report(thrown)
  return errorFrame(error.message)
}

const types: ReadonlySet<unknown> = new Set([undefined, 'code', 'chat', 'code/chat'])
const longestMessage = 100_000

/** What a frame says. Throws AppError invalid for what is no message to this socket's plugin. */
function messageIn(text: string | null, { pluginId }: Place): string {
  const bad = (rule: string) => new AppError('invalid', 'INVALID_MESSAGE', `Invalid message format: ${rule}`)
  if (text === null) throw bad('frames must be JSON text')
  let frame: Record<string, unknown>
  try {
    frame = parseFrame(text)
  } catch (thrown) {
    throw bad(toAppError(thrown).message)
  }
  const { message, type, pluginId: named } = frame
  if (typeof message !== 'string' || message.trim() === '')
    throw bad('message must be a text that is not empty')
  if (message.length > longestMessage) throw bad(`message must have at most ${longestMessage} characters`)
  if (!types.has(type)) throw bad('type must be code or chat')
  const isOther = named !== undefined && (typeof named !== 'string' || ownId(named) !== pluginId)
  if (isOther) throw bad('pluginId must be the plugin of this socket')
  return message
}

/** One turn, told when all of it is stored. It goes on when its client leaves. */
async function answer(
  deps: SocketDeps,
  line: SocketLine,
  { identity, pluginId, message }: Place & { message: string },
): Promise<void> {
  await deps.admitStart(identity)
  const { accountId } = identity
  const isFinalize = message.trim() === 'Finalize'
  const { turnId } = isFinalize
    ? await deps.plugins.finalize({ accountId, pluginId })
    : await deps.plugins.send({ accountId, pluginId, message })
  const result = await deps.plugins.wait({ accountId, turnId, signal: line.signal })
  if (line.signal.aborted) return
  for (const frame of turnFrames(result)) await line.deliver(JSON.stringify(frame))
}
