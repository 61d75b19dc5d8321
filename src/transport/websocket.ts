import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { type RawData, type WebSocket, WebSocketServer } from 'ws'
import { createFrameMeter, type FrameRate } from './rates.ts'
import type { Upgrade, Upgrades } from './upgrades.ts'

/** The limits of one socket. */
export interface WebSocketLimits {
  /** A longer frame closes its socket with 1009. */
  maxFrameBytes: number
  /** Above this, `deliver` waits until the reader has caught up. */
  pauseAboveBytes: number
  /** Above this, the socket is closed with 1013. */
  maxBufferedBytes: number
  /** A reader that takes nothing for so long is closed with 1013. */
  slowReaderMs: number
  pingEveryMs: number
  /** Frames of any kind; a socket that sends more is closed with 1008. */
  rate: FrameRate
  /** Messages being handled; above this, nothing more is read from the socket. */
  maxPending: number
}

export const defaultWebSocketLimits: WebSocketLimits = {
  maxFrameBytes: 256 * 1024,
  pauseAboveBytes: 64 * 1024,
  maxBufferedBytes: 4 * 1024 * 1024,
  slowReaderMs: 30_000,
  pingEveryMs: 30_000,
  rate: { perSecond: 100, burst: 300 },
  maxPending: 16,
}

const farewellMs = 2000

/** Handles one message: its text, or null for a binary one. What it throws closes the socket with 1011. */
export type MessageHandler = (text: string | null) => void | Promise<void>

export type WebSockets = ReturnType<typeof createWebSockets>

/** WebSockets without a path of their own: whoever handles an upgrade opens one here. */
export function createWebSockets(upgrades: Upgrades, limits: Partial<WebSocketLimits> = {}) {
  const settings = { ...defaultWebSocketLimits, ...limits }
  const acceptor = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    maxPayload: settings.maxFrameBytes,
    perMessageDeflate: false,
    autoPong: false,
  })
  const lines = new Set<SocketLine>()
  const pinger = setInterval(() => {
    for (const line of lines) line.ping()
  }, settings.pingEveryMs)
  pinger.unref()
  upgrades.onClose(() => {
    clearInterval(pinger)
    for (const line of lines) line.close(1001, 'The server is restarting')
  })

  return {
    /** Accepts an upgrade. `onOpen` is called at once with the line and says what handles its messages. */
    open({ request, socket, head }: Upgrade, onOpen: (line: SocketLine) => MessageHandler): void {
      acceptor.handleUpgrade(request as IncomingMessage, socket, head, webSocket => {
        const line = new SocketLine(webSocket, socket, settings)
        lines.add(line)
        line.signal.addEventListener('abort', () => lines.delete(line), { once: true })
        line.receive(onOpen(line))
      })
    },
  }
}

/** One open WebSocket: texts in and out, bounded on both ways. */
export class SocketLine {
  readonly #webSocket: WebSocket
  readonly #socket: Duplex
  readonly #limits: WebSocketLimits
  readonly #gone = new AbortController()
  #pending = 0
  #isAlive = true
  #drained: Promise<void> | null = null

  constructor(webSocket: WebSocket, socket: Duplex, limits: WebSocketLimits) {
    this.#webSocket = webSocket
    this.#socket = socket
    this.#limits = limits
    webSocket.once('error', () => this.#cutLater())
    webSocket.on('error', () => this.#gone.abort(new Error('the socket is broken')))
    webSocket.once('close', () => this.#gone.abort(new Error('the socket is closed')))
    webSocket.on('pong', () => {
      this.#isAlive = true
    })
  }

  /** Aborts when nothing can be sent any more. */
  get signal(): AbortSignal {
    return this.#gone.signal
  }

  /** Bytes that wait for the reader in this process. */
  get bufferedBytes(): number {
    return this.#webSocket.bufferedAmount
  }

  /** Hands messages to their handler. */
  receive(handle: MessageHandler): void {
    const isWithinRate = createFrameMeter(this.#limits.rate)
    const take = (length: number): boolean => {
      if (this.#gone.signal.aborted || this.#webSocket.readyState !== this.#webSocket.OPEN) return false
      if (isWithinRate(length)) return true
      this.close(1008, 'Too many messages')
      return false
    }
    this.#webSocket.on('ping', data => {
      if (take(data.length) && this.bufferedBytes <= this.#limits.pauseAboveBytes) this.#webSocket.pong(data)
    })
    this.#webSocket.on('message', (data, isBinary) => {
      this.#isAlive = true
      const bytes = bytesOf(data)
      if (take(bytes.length)) void this.#handle(handle, isBinary ? null : bytes.toString())
    })
  }

  async #handle(handle: MessageHandler, text: string | null): Promise<void> {
    this.#pending++
    if (this.#pending >= this.#limits.maxPending) this.#webSocket.pause()
    try {
      await handle(text)
    } catch {
      this.close(1011, 'Something went wrong on our side')
    } finally {
      this.#pending--
      const hasRoom = this.#pending < this.#limits.maxPending
      if (hasRoom && this.#webSocket.isPaused) this.#webSocket.resume()
    }
  }

  /** Sends a text now, whoever waits; for short answers. False when the socket has gone. */
  send(text: string): boolean {
    if (this.#webSocket.readyState !== this.#webSocket.OPEN) return false
    this.#webSocket.send(text, ignoreResult)
    if (this.bufferedBytes > this.#limits.maxBufferedBytes) this.close(1013, 'The reader is too slow')
    return true
  }

  /** Sends a text as soon as the reader has taken most of what was sent before. False when the socket has gone. */
  async deliver(text: string): Promise<boolean> {
    while (this.bufferedBytes > this.#limits.pauseAboveBytes && !this.#gone.signal.aborted) {
      this.#drained ??= this.#drain().finally(() => {
        this.#drained = null
      })
      await this.#drained
    }
    return this.send(text)
  }

  /** Resolves when the buffer is empty or the socket has gone; closes it when the reader stands still. */
  #drain(): Promise<void> {
    return new Promise(resolve => {
      let before = this.bufferedBytes
      const timer = setInterval(() => {
        if (this.bufferedBytes >= before) this.close(1013, 'The reader is too slow')
        before = this.bufferedBytes
      }, this.#limits.slowReaderMs)
      const settle = () => {
        clearInterval(timer)
        this.#socket.off('drain', settle)
        this.#gone.signal.removeEventListener('abort', settle)
        resolve()
      }
      this.#socket.on('drain', settle)
      this.#gone.signal.addEventListener('abort', settle)
    })
  }

  /** Asks whether the peer is still there; one that did not answer the last time is cut. */
  ping(): void {
    if (!this.#isAlive) this.#webSocket.terminate()
    else if (this.#webSocket.readyState === this.#webSocket.OPEN) this.#webSocket.ping()
    this.#isAlive = false
  }

  /** Says goodbye; a peer that does not answer is cut two seconds later. */
  close(code: number, reason: string): void {
    if (this.#gone.signal.aborted) return
    this.#webSocket.close(code, reason)
    this.#gone.abort(new Error(reason))
    this.#cutLater()
  }

  #cutLater(): void {
    if (this.#webSocket.readyState === this.#webSocket.CLOSED) return
    const timer = setTimeout(() => this.#webSocket.terminate(), farewellMs)
    timer.unref()
    this.#webSocket.once('close', () => clearTimeout(timer))
  }
}

function bytesOf(data: RawData): Buffer {
  if (Array.isArray(data)) return Buffer.concat(data)
  return data instanceof ArrayBuffer ? Buffer.from(data) : data
}

/** A send that fails is followed by the socket's close, which is heard. */
function ignoreResult(): void {}
