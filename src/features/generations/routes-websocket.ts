import { AppError, toAppError } from '../../lib/errors.ts'
import type { Identity } from '../../transport/auth.ts'
import { createFrameReader, type Frame, parseFrame } from '../../transport/frames.ts'
import type { Handshakes } from '../../transport/handshakes.ts'
import type { UpgradeHandler } from '../../transport/upgrades.ts'
import type { MessageHandler, SocketLine, WebSockets } from '../../transport/websocket.ts'
import { type Conversing, createConversing, type SocketWireDeps } from './routes-sockets.ts'
import { SocketFrames } from './schema-sockets.ts'

const frames = createFrameReader(SocketFrames)
type ClientFrame = Frame<typeof SocketFrames>

const sessionEnded = 4401

/** The raw WebSocket of our own API: JSON frames onto the engine, see docs/sockets.md. */
export function generationSocket(
  deps: SocketWireDeps & { handshakes: Handshakes; webSockets: WebSockets },
): UpgradeHandler {
  return async upgrade => {
    const identity = await deps.handshakes.identify(upgrade.request)
    let line: SocketLine | null = null
    const release = deps.handshakes.admit(identity, () => line?.close(sessionEnded, 'The session has ended'))
    upgrade.socket.once('close', release)
    if (upgrade.socket.destroyed) return release()
    deps.webSockets.open(upgrade, opened => {
      line = opened
      return converse(deps, opened, identity)
    })
  }
}

/** Handles the frames of one client. Questions keep their order; nothing else waits for anything. */
function converse(deps: SocketWireDeps, line: SocketLine, identity: Identity): MessageHandler {
  const conversing = createConversing(deps, {
    identity,
    signal: line.signal,
    events: (generationId, events) => line.deliver(JSON.stringify({ type: 'events', generationId, events })),
    done: (generationId, error) =>
      line.send(JSON.stringify(error ? errorFrame(error, { generationId }) : { type: 'done', generationId })),
  })
  let asked: Promise<unknown> = Promise.resolve()
  return async text => {
    let id: string | undefined
    try {
      if (text === null) throw new AppError('invalid', 'BINARY_FRAME', 'Frames must be JSON text')
      const parsed = parseFrame(text)
      const { id: named } = parsed
      id = typeof named === 'string' ? named.slice(0, 100) : undefined
      const frame = frames.checkTyped(parsed)
      const work = () => answer(conversing, frame, told => line.send(JSON.stringify(withId(told, id))))
      if (!isQuestion(frame)) return await work()
      asked = asked.then(work, work)
      await asked
    } catch (thrown) {
      const error = toAppError(thrown)
      if (error.kind === 'internal') deps.report(thrown)
      line.send(JSON.stringify(withId(errorFrame(error), id)))
    }
  }
}

function isQuestion({ type }: ClientFrame): boolean {
  return type === 'start' || type === 'regenerate' || type === 'continue'
}

/** Does what a frame asks, and tells the one answer that each frame gets. */
async function answer(
  conversing: Conversing,
  frame: ClientFrame,
  tell: (told: object) => void,
): Promise<void> {
  switch (frame.type) {
    case 'start':
      return begin(conversing, await conversing.start(withoutId(frame.fields)), tell)
    case 'regenerate':
    case 'continue':
      return begin(conversing, await conversing.again(frame.type, withoutId(frame.fields)), tell)
    case 'follow': {
      tell({ type: 'following', ...(await conversing.follow(frame.fields)) })
      return
    }
    case 'unfollow':
      return tell({ type: 'unfollowed', ...conversing.unfollow(frame.fields) })
    case 'cancel':
      return tell({ type: 'cancelled', ...(await conversing.cancel(frame.fields)) })
    case 'ping':
      return tell({ type: 'pong' })
  }
}

type Begun = Awaited<ReturnType<Conversing['start']>>

async function begin(conversing: Conversing, begun: Begun, tell: (told: object) => void): Promise<void> {
  tell({ type: 'started', ...begun })
  await conversing.followBegun(begun.generation.id)
}

function withoutId<Fields extends { id?: string }>({ id: _, ...fields }: Fields): Omit<Fields, 'id'> {
  return fields
}

function withId(told: object, id: string | undefined): object {
  return id === undefined ? told : { ...told, id }
}

function errorFrame(error: AppError, about: object = {}): object {
  const { code, message, details, retryAfterSeconds } = error
  const retry = retryAfterSeconds === undefined ? {} : { retryAfter: retryAfterSeconds }
  return { type: 'error', ...about, code, message, details, ...retry }
}
