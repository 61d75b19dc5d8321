import { Server as Engine } from 'engine.io'
import { type ServerOptions, type Socket, Server as SocketIoServer } from 'socket.io'
import { AppError, toAppError } from '../lib/errors.ts'
import type { Identity } from './auth.ts'
import { type ErrorAnswer, errorBody } from './errors.ts'
import type { Handshakes } from './handshakes.ts'
import { createFrameMeter, type FrameRate } from './rates.ts'
import type { Server } from './server.ts'
import type { Upgrades } from './upgrades.ts'

export interface SocketIoDeps {
  upgrades: Upgrades
  handshakes: Handshakes
  /** Carries what is told to an account between processes; none by default. */
  adapter?: ServerOptions['adapter']
  limits?: Partial<SocketIoLimits>
}

export interface SocketIoLimits {
  /** A longer packet closes its socket. */
  maxPacketBytes: number
  /** A reader that takes nothing for so long is closed. */
  slowReaderMs: number
  /** Characters that may wait behind what is being sent; a connection with more is closed. */
  maxWaitingLength: number
  /** Packets of any kind; a socket that sends more is closed. */
  rate: FrameRate
  /** Events being handled for one socket; more are refused. */
  maxPending: number
}

const defaultLimits: SocketIoLimits = {
  maxPacketBytes: 256 * 1024,
  slowReaderMs: 30_000,
  maxWaitingLength: 1024 * 1024,
  rate: { perSecond: 100, burst: 300 },
  maxPending: 32,
}

/** Answers an event; what it returns or throws is the acknowledgement. */
export type EventHandler = (payload: unknown) => unknown | Promise<unknown>

/** Called for each socket that opens; the events that it may send. */
export type OpenHandler = (line: SocketIoLine) => Readonly<Record<string, EventHandler>>

export type SocketIo = ReturnType<typeof createSocketIo>

const path = '/socket.io'

/**
 * Socket.IO on the default namespace, over polling and WebSocket. A socket belongs to its account's room from the
 * beginning and to no other; who is not signed in gets `connect_error` with "Authentication error".
 */
export function createSocketIo(server: Server, deps: SocketIoDeps) {
  const limits = { ...defaultLimits, ...deps.limits }
  const openers: OpenHandler[] = []
  const io = new SocketIoServer({
    path,
    serveClient: false,
    connectTimeout: 10_000,
    ...(deps.adapter ? { adapter: deps.adapter } : {}),
  })
  const engine = new Engine({
    maxHttpBufferSize: limits.maxPacketBytes,
    perMessageDeflate: false,
    httpCompression: false,
  })
  engine.on('connection', (conn: Connection) => bound(conn, limits))
  io.bind(engine)
  /** A thrown value as it may be told; bugs are logged. */
  const tellable = (thrown: unknown): AppError => {
    const error = toAppError(thrown)
    if (error.kind === 'internal') server.log.error({ err: error.cause }, 'a socket met a bug')
    return error
  }
  io.use((socket, next) => {
    identify(deps.handshakes, socket).then(
      () => next(),
      (thrown: unknown) => next(refusal(tellable(thrown))),
    )
  })
  io.on('connection', socket => welcome(socket, { openers, limits, tellable }))
  deps.upgrades.onClose(() => io.close())
  deps.upgrades.route(path, ({ request, socket, head }) =>
    engine.handleUpgrade(request as Parameters<typeof engine.handleUpgrade>[0], socket, head),
  )
  acceptPolling(server, deps.upgrades, engine)

  return {
    /** Says what the sockets that open from now on may send. Event names of different openers must differ. */
    serve: (open: OpenHandler): void => void openers.push(open),
    /** Tells every socket of the account, in every process that the adapter reaches. */
    tell: (accountId: string, event: string, payload: unknown): void =>
      void io.to(roomOf(accountId)).emit(event, payload),
    /** False when it is certain that nobody of the account would hear. */
    mayHear: (accountId: string): boolean =>
      deps.adapter !== undefined || io.sockets.adapter.rooms.has(roomOf(accountId)),
  }
}

type Connection = Socket['conn']

/** Cuts a connection that sends too fast, or for which too much waits. */
function bound(conn: Connection, limits: SocketIoLimits): void {
  const isWithinRate = createFrameMeter(limits.rate)
  conn.on('packet', (packet: { data?: string | Buffer }) => {
    if (!isWithinRate(packet.data?.length ?? 0)) cut(conn)
  })
  // Pings of the WebSocket below are answered without a packet, also to a reader that takes nothing.
  const countPings = ({ socket }: Transport) =>
    socket?.on('ping', data => {
      if (!isWithinRate(data.length)) cut(conn)
    })
  countPings(conn.transport as Transport)
  conn.on('upgrade', (transport: Transport) => void countPings(transport))
  let waiting = 0
  conn.on('packetCreate', (packet: { data?: string }) => {
    waiting += packet.data?.length ?? 0
    if (waiting > limits.maxWaitingLength) cut(conn)
  })
  conn.on('flush', () => {
    waiting = 0
  })
}

/** A transport of the engine; its `ws` socket, where it is a WebSocket. */
interface Transport {
  socket?: { on(event: 'ping', hear: (data: Buffer) => void): unknown; terminate?: () => void }
}

/** Closes a connection without waiting for its reader. */
function cut(conn: Connection): void {
  const { transport } = conn as { transport: Transport }
  conn.close(true)
  transport.socket?.terminate?.()
}

function roomOf(accountId: string): string {
  return `account:${accountId}`
}

/** Polling requests are plain HTTP: Fastify adds its CORS headers, then the engine answers them. */
function acceptPolling(server: Server, upgrades: Upgrades, engine: Engine): void {
  server.route({
    method: ['GET', 'POST'],
    url: path,
    exposeHeadRoute: false,
    config: { auth: 'none' },
    schema: { hide: true },
    onRequest: async (request, reply) => {
      upgrades.checkOrigin(request.raw)
      for (const [name, value] of Object.entries(reply.getHeaders())) {
        if (value !== undefined) reply.raw.setHeader(name, value)
      }
      reply.hijack()
      engine.handleRequest(request.raw as Parameters<typeof engine.handleRequest>[0], reply.raw)
    },
    handler: () => undefined,
  })
}

async function identify(handshakes: Handshakes, socket: Socket): Promise<void> {
  const { auth } = socket.handshake
  const identity = await handshakes.identify(socket.request, {
    token: textIn(auth, 'token'),
    ticket: textIn(auth, 'ticket'),
  })
  const release = handshakes.admit(identity, () => {
    socket.emit('session-end', { code: 'SESSION_ENDED', message: 'This session has ended.' })
    socket.disconnect(true)
  })
  socket.conn.once('close', release)
  if (socket.conn.readyState !== 'open') release()
  const data = socket.data as SocketData
  data.identity = identity
  data.release = release
}

interface SocketData {
  identity: Identity
  release: () => void
}

function textIn(auth: Readonly<Record<string, unknown>>, name: string): string | undefined {
  const value = auth[name]
  return typeof value === 'string' && value !== '' ? value : undefined
}

/** A refused connection as clients know it, with our error body beside it. */
function refusal(error: AppError): Error & { data: ErrorAnswer } {
  const isSignIn = error.kind === 'unauthenticated'
  return Object.assign(new Error(isSignIn ? 'Authentication error' : error.message), {
    data: errorBody(error),
  })
}

interface House {
  openers: readonly OpenHandler[]
  limits: SocketIoLimits
  tellable: (thrown: unknown) => AppError
}

function welcome(socket: Socket, { openers, limits, tellable }: House): void {
  const { identity, release } = socket.data as SocketData
  const line = new SocketIoLine(socket, identity, limits)
  const handlers = new Map<string, EventHandler>()
  for (const open of openers) {
    for (const [event, handler] of Object.entries(open(line))) handlers.set(event, handler)
  }
  void socket.join(roomOf(identity.accountId))
  // A broken packet closes its socket by itself.
  socket.on('error', () => {})
  socket.once('disconnect', release)
  let pending = 0
  // A packet may lack its event's name, or have a number there.
  socket.onAny((named: unknown, ...rest: unknown[]) => {
    const event = typeof named === 'string' ? named.slice(0, 100) : ''
    const acknowledge = typeof rest.at(-1) === 'function' ? (rest.pop() as (answer: unknown) => void) : null
    if (pending >= limits.maxPending) return answerWith(socket, { event, acknowledge }, tooMany())
    pending++
    void handle(handlers.get(event), rest[0])
      .catch((thrown: unknown): Answer => errorBody(tellable(thrown)))
      .then(answer => answerWith(socket, { event, acknowledge }, answer))
      .finally(() => pending--)
  })
}

type Answer = { success: true; data: unknown } | ErrorAnswer

async function handle(handler: EventHandler | undefined, payload: unknown): Promise<Answer> {
  if (!handler) throw new AppError('invalid', 'UNKNOWN_EVENT', 'There is no such event')
  return { success: true, data: (await handler(payload ?? {})) ?? {} }
}

/** An answer goes into the acknowledgement; without one, only errors are told, as an event. */
function answerWith(
  socket: Socket,
  asked: { event: string; acknowledge: ((answer: unknown) => void) | null },
  answer: Answer,
): void {
  if (asked.acknowledge) asked.acknowledge(answer)
  else if (!answer.success) socket.emit('error', { event: asked.event, ...answer })
}

function tooMany(): ErrorAnswer {
  return errorBody(
    new AppError('limited', 'TOO_MANY_REQUESTS', 'Too many events at once', { retryAfterSeconds: 1 }),
  )
}

/** One open Socket.IO connection: events out, bounded by what the reader takes. */
export class SocketIoLine {
  readonly identity: Identity
  /** What the client sent with its handshake beside the sign-in. */
  readonly greeting: Readonly<Record<string, unknown>>
  readonly #socket: Socket
  readonly #limits: SocketIoLimits
  readonly #gone = new AbortController()

  constructor(socket: Socket, identity: Identity, limits: SocketIoLimits) {
    this.#socket = socket
    this.identity = identity
    this.greeting = socket.handshake.auth
    this.#limits = limits
    socket.once('disconnect', () => this.#gone.abort(new Error('the socket is closed')))
  }

  /** Aborts when nothing can be sent any more. */
  get signal(): AbortSignal {
    return this.#gone.signal
  }

  /** Sends an event now; for short ones. */
  send(event: string, payload: unknown): void {
    this.#socket.emit(event, payload)
  }

  /** Sends an event when everything before it has been taken. False when the socket has gone. */
  async deliver(event: string, payload: unknown): Promise<boolean> {
    while (!this.#gone.signal.aborted && !this.#isTaken()) await this.#taken()
    if (this.#gone.signal.aborted) return false
    this.#socket.emit(event, payload)
    return true
  }

  #isTaken(): boolean {
    const { transport } = this.#socket.conn
    return transport.writable || this.#gone.signal.aborted
  }

  /** Resolves when the connection can take more, has changed its transport or has gone; cuts it when it stands still. */
  #taken(): Promise<void> {
    const { conn } = this.#socket
    const { transport } = conn
    return new Promise(resolve => {
      const timer = setTimeout(() => cut(conn), this.#limits.slowReaderMs)
      const settle = () => {
        clearTimeout(timer)
        transport.off('ready', settle)
        conn.off('upgrade', settle).off('close', settle)
        resolve()
      }
      transport.once('ready', settle)
      conn.once('upgrade', settle).once('close', settle)
    })
  }
}
