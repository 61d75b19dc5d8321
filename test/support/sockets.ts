import { once } from 'node:events'
import { io, type Socket } from 'socket.io-client'
import { type ClientOptions, WebSocket } from 'ws'

// biome-ignore lint/suspicious/noExplicitAny: tests read frames of every shape
export type Json = any

/** A raw WebSocket as a client has it: everything it was told, in order. */
export class TestSocket {
  readonly webSocket: WebSocket
  readonly frames: Json[] = []
  /** Resolves with the code once the socket has closed. */
  readonly closed: Promise<number>
  #heard: (() => void)[] = []

  constructor(webSocket: WebSocket) {
    this.webSocket = webSocket
    this.closed = new Promise(resolve => webSocket.once('close', code => resolve(code)))
    webSocket.on('error', () => {})
    webSocket.on('message', data => {
      this.frames.push(JSON.parse(data.toString()))
      this.#wake()
    })
    webSocket.on('close', () => this.#wake())
  }

  #wake(): void {
    for (const hear of this.#heard.splice(0)) hear()
  }

  send(frame: object | string): void {
    this.webSocket.send(typeof frame === 'string' ? frame : JSON.stringify(frame))
  }

  /** The first frame that fits, now or when it comes. Throws when the socket closes before. */
  async frame(fits: (frame: Json) => boolean): Promise<Json> {
    for (let from = 0; ; ) {
      const found = this.frames.slice(from).find(fits)
      if (found) return found
      from = this.frames.length
      if (this.webSocket.readyState >= WebSocket.CLOSING)
        throw new Error(`closed before: ${JSON.stringify(this.frames.at(-1))}`)
      await new Promise<void>(resolve => this.#heard.push(resolve))
    }
  }

  /** Sends a frame with an id, and gives the answer to it. */
  ask(frame: Record<string, unknown>): Promise<Json> {
    const id = `ask-${this.frames.length}-${Math.random()}`
    this.send({ ...frame, id })
    return this.frame(answer => answer.id === id)
  }

  /** All events of a generation so far. */
  events(generationId: string): Json[] {
    return this.frames
      .filter(frame => frame.type === 'events' && frame.generationId === generationId)
      .flatMap(frame => frame.events)
  }

  /** All events of a generation, when it has ended. */
  async whole(generationId: string): Promise<Json[]> {
    await this.frame(frame => frame.type === 'done' && frame.generationId === generationId)
    return this.events(generationId)
  }
}

/** Opens a WebSocket; rejects with the HTTP status when it is refused. */
export async function openSocket(url: string, options: ClientOptions = {}): Promise<TestSocket> {
  const webSocket = new WebSocket(url.replace(/^http/, 'ws'), options)
  const socket = new TestSocket(webSocket)
  await new Promise<void>((resolve, reject) => {
    webSocket.once('open', () => resolve())
    webSocket.once('unexpected-response', (request, response) => {
      response.resume()
      request.destroy()
      reject(Object.assign(new Error(`refused with ${response.statusCode}`), { status: response.statusCode }))
    })
    webSocket.once('error', reject)
  })
  return socket
}

/** The status with which an upgrade is refused; 101 when it is not. */
export async function upgradeStatus(url: string, options: ClientOptions = {}): Promise<number> {
  try {
    const { webSocket } = await openSocket(url, options)
    webSocket.terminate()
    return 101
  } catch (error) {
    return (error as { status?: number }).status ?? 0
  }
}

/** A Socket.IO connection as a client has it. */
export interface TestIo {
  socket: Socket
  told: { event: string; payload: Json }[]
  /** Sends an event and gives its acknowledgement. */
  ask(event: string, payload?: unknown): Promise<Json>
  /** The first thing told that fits, now or when it comes. */
  hear(event: string, fits?: (payload: Json) => boolean): Promise<Json>
  events(generationId: string): Json[]
  whole(generationId: string): Promise<Json[]>
  close(): void
}

/** Connects with Socket.IO; rejects with the `connect_error`. */
export async function openIo(url: string, options: object): Promise<TestIo> {
  const socket = io(url, { forceNew: true, reconnection: false, transports: ['websocket'], ...options })
  const told: { event: string; payload: Json }[] = []
  let heard: (() => void)[] = []
  socket.onAny((event: string, payload: Json) => {
    told.push({ event, payload })
    const waiting = heard
    heard = []
    for (const wake of waiting) wake()
  })
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', () => resolve())
    socket.once('connect_error', error => {
      socket.close()
      reject(error)
    })
  })
  const hear: TestIo['hear'] = async (event, fits = () => true) => {
    for (;;) {
      const found = told.find(each => each.event === event && fits(each.payload))
      if (found) return found.payload
      if (!socket.connected) throw new Error(`disconnected before ${event}`)
      await new Promise<void>(resolve => {
        heard.push(resolve)
        socket.once('disconnect', () => resolve())
      })
    }
  }
  const events: TestIo['events'] = generationId =>
    told
      .filter(each => each.event === 'events' && each.payload.generationId === generationId)
      .flatMap(each => each.payload.events)
  return {
    socket,
    told,
    hear,
    events,
    ask: (event, payload) => socket.timeout(10_000).emitWithAck(event, payload),
    async whole(generationId) {
      await hear('done', payload => payload.generationId === generationId)
      return events(generationId)
    },
    close: () => void socket.close(),
  }
}

/** Reads a stream of server-sent events to its end. */
export async function readEvents(url: string, options: RequestInit): Promise<Json[]> {
  const response = await fetch(url, options)
  if (!response.ok) throw new Error(`${response.status}: ${await response.text()}`)
  const text = await response.text()
  return text
    .split('\n')
    .filter(line => line.startsWith('data: '))
    .map(line => JSON.parse(line.slice(6)))
}

/** The text of an answer, from its events. */
export function textOf(events: readonly Json[]): string {
  return events
    .filter(event => event.type === 'text-delta')
    .map(event => event.text)
    .join('')
}

/** Waits for one event of an emitter, at most five seconds. */
export function within(emitter: NodeJS.EventEmitter, event: string): Promise<unknown[]> {
  return once(emitter, event, { signal: AbortSignal.timeout(5000) })
}
