import type { ClientRequest, IncomingMessage } from 'node:http'
import { createParser, type EventSourceMessage, type EventSourceParser } from 'eventsource-parser'
import { AppError } from '../../lib/errors.ts'
import type { ModelAdapter, ModelPart, ModelRequest } from './index.ts'
import type { Outbound } from './outbound.ts'
import { PartBuffer } from './part-buffer.ts'
import {
  badResponse,
  cutShort,
  type ProviderFailure,
  providerError,
  retryAfter,
  unreachable,
} from './provider-error.ts'

/** What one provider's wire looks like; everything that is not about bytes and sockets. */
export interface Wire {
  readonly provider: string
  /** The provider's name as people know it. */
  readonly label: string
  /** Where and what to send. The body is made into JSON as it is. */
  prepare(request: ModelRequest): {
    url: string
    headers: Record<string, string>
    body: unknown
    secret?: string | undefined
  }
  /** Reads one event into parts: `last` after the final one, a failure when the provider tells one inside the stream. */
  read(event: EventSourceMessage, parts: PartBuffer): Reading
  /** The parsed body of an answer that is no event stream, as a failure; `status` below 400 when it tells none. */
  failure(body: unknown, status: number): ToldFailure
}

/** A failure in a provider's own words. */
export type ToldFailure = Omit<ProviderFailure, 'label' | 'secret'>
export type Reading = 'more' | 'last' | ToldFailure

const largestFrameCharacters = 8 * 1024 * 1024
const largestErrorBody = 64 * 1024
const pauseAtCharacters = 1024 * 1024
const drainTimeoutMs = 1000

/** The adapter that speaks a wire over HTTP. */
export function createHttpAdapter(wire: Wire, outbound: Outbound): ModelAdapter {
  return {
    provider: wire.provider,
    stream: (request, { signal }) => new HttpPartStream(wire, outbound, { request, signal }),
  }
}

/** The key for a request. The operator's own never travels to an address that an account entered. */
export function keyFor(request: ModelRequest, operatorsKey: string | undefined): string | undefined {
  return request.apiKey ?? (request.baseUrl === undefined ? operatorsKey : undefined)
}

interface Waiting {
  resolve(result: IteratorResult<readonly ModelPart[]>): void
  reject(reason: unknown): void
}

/**
 * One run over one HTTP request. Reading is one promise per network read at most: whatever has arrived since the last
 * step is handed over together. The request is sent by the first `next`.
 */
class HttpPartStream implements AsyncIterableIterator<readonly ModelPart[]> {
  readonly #wire: Wire
  readonly #outbound: Outbound
  readonly #input: { request: ModelRequest; signal: AbortSignal }
  readonly #parts = new PartBuffer()
  #request: ClientRequest | undefined
  #response: IncomingMessage | undefined
  #secret: string | undefined
  #waiting: Waiting | undefined
  #failure: { reason: unknown } | undefined
  #isStarted = false
  #isOver = false

  constructor(wire: Wire, outbound: Outbound, input: { request: ModelRequest; signal: AbortSignal }) {
    this.#wire = wire
    this.#outbound = outbound
    this.#input = input
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  next(): Promise<IteratorResult<readonly ModelPart[]>> {
    if (!this.#isStarted) this.#start()
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject }
      this.#wake()
    })
  }

  /** The reader has lost interest: the connection is closed at once. */
  return(): Promise<IteratorResult<readonly ModelPart[]>> {
    if (!this.#isOver) {
      this.#end()
      this.#request?.destroy()
    }
    this.#parts.clear()
    this.#failure = undefined
    return Promise.resolve({ done: true, value: undefined })
  }

  #start(): void {
    this.#isStarted = true
    const { request, signal } = this.#input
    try {
      signal.throwIfAborted()
      const { url, headers, body, secret } = this.#wire.prepare(request)
      this.#secret = secret
      // As text: Node then sends it together with the headers, without copying.
      const text = JSON.stringify(body)
      headers['content-type'] = 'application/json'
      headers.accept = 'text/event-stream'
      headers['content-length'] = String(Buffer.byteLength(text))
      this.#request = this.#outbound.request(url, headers, { isGuarded: request.baseUrl !== undefined })
      this.#request.on('response', response => this.#receive(response))
      this.#request.on('error', error => this.#disconnected(error))
      this.#request.end(text)
      signal.addEventListener('abort', this.#abort)
    } catch (error) {
      this.#fail(signal.aborted || error instanceof AppError ? error : unreachable(this.#wire.label, error))
    }
  }

  readonly #abort = (): void => {
    this.#parts.clear()
    this.#fail(this.#input.signal.reason)
  }

  #receive(response: IncomingMessage): void {
    this.#response = response
    response.on('error', error => this.#disconnected(error))
    response.on('close', () => this.#disconnected())
    const type = response.headers['content-type'] ?? ''
    if (
      response.statusCode === 200 &&
      /^text\/event-stream\b/i.test(type) &&
      !response.headers['content-encoding']
    ) {
      this.#readEvents(response)
    } else {
      this.#readFailure(response, type)
    }
  }

  #readEvents(response: IncomingMessage): void {
    let isLast = false
    const { label } = this.#wire
    const parser = createParser({
      maxBufferSize: largestFrameCharacters,
      onEvent: event => {
        if (isLast) return
        const reading = this.#wire.read(event, this.#parts)
        if (reading === 'last') isLast = true
        else if (reading !== 'more') throw providerError({ ...reading, label, secret: this.#secret })
      },
      onError: error => {
        if (error.type === 'max-buffer-size-exceeded')
          throw badResponse(label, 'one frame is larger than 8 MB')
      },
    })
    response.setEncoding('utf8')
    response.on('data', (text: string) => {
      if (this.#isOver) return
      if (!this.#feed(parser, text)) return
      if (isLast) this.#complete()
      if (this.#waiting) this.#wake()
      else if (this.#parts.waitingCharacters > pauseAtCharacters) response.pause()
    })
    response.on('end', () => this.#complete())
  }

  /** False when the text could not be read; the stream has failed then. */
  #feed(parser: EventSourceParser, text: string): boolean {
    try {
      parser.feed(text)
      return true
    } catch (error) {
      const { label } = this.#wire
      this.#fail(
        error instanceof AppError ? error : badResponse(label, 'a frame is not what was agreed', error),
      )
      return false
    }
  }

  /** Anything but an event stream: a failure in JSON, a redirect, a page. */
  #readFailure(response: IncomingMessage, type: string): void {
    const chunks: Buffer[] = []
    let size = 0
    const finish = () => {
      if (this.#isOver) return
      this.#fail(this.#failureOf(response, type, Buffer.concat(chunks).toString('utf8')))
    }
    response.on('data', (chunk: Buffer) => {
      size += chunk.length
      if (size > largestErrorBody) finish()
      else chunks.push(chunk)
    })
    response.on('end', finish)
  }

  #failureOf(response: IncomingMessage, type: string, text: string): AppError {
    const { label } = this.#wire
    const status = response.statusCode ?? 0
    if (status >= 300 && status < 400) return badResponse(label, 'it redirects elsewhere')
    const body = /json/i.test(type) ? parsed(text) : undefined
    const told = this.#wire.failure(body, status)
    if (status < 400 && told.status < 400)
      return badResponse(label, `it is not an event stream (${shortType(type)})`)
    return providerError({
      ...told,
      label,
      retryAfterSeconds: retryAfter(response.headers) ?? told.retryAfterSeconds,
      secret: this.#secret,
    })
  }

  /** The connection is gone. After the last word that is of no interest. */
  #disconnected(cause?: Error): void {
    if (this.#isOver) return
    if (this.#response?.complete && !cause) return
    const { label } = this.#wire
    if (this.#parts.hasFinish) this.#complete()
    else if (cause instanceof AppError) this.#fail(cause)
    else if (isProtocolError(cause)) this.#fail(badResponse(label, 'it is not proper HTTP', cause))
    else this.#fail(this.#response ? cutShort(label, cause) : unreachable(label, cause))
  }

  #complete(): void {
    if (this.#isOver) return
    this.#parts.settle('ended')
    this.#end()
    this.#drain()
    this.#wake()
  }

  /** Lets the last bytes pass so that the connection can be used again; not for long. */
  #drain(): void {
    const response = this.#response
    if (!response || response.complete) return
    response.resume()
    const timer = setTimeout(() => response.destroy(), drainTimeoutMs)
    timer.unref()
    response.once('close', () => clearTimeout(timer))
  }

  #fail(reason: unknown): void {
    if (this.#isOver) return
    this.#parts.settle('failed')
    this.#failure = { reason }
    this.#end()
    this.#request?.destroy()
    this.#wake()
  }

  #end(): void {
    this.#isOver = true
    this.#input.signal.removeEventListener('abort', this.#abort)
  }

  /** Hands over what there is to whoever waits: parts first, then the failure, then the end. */
  #wake(): void {
    const waiting = this.#waiting
    if (!waiting) return
    if (!this.#parts.isEmpty) {
      this.#waiting = undefined
      waiting.resolve({ done: false, value: this.#parts.take() })
      if (this.#response?.isPaused()) this.#response.resume()
    } else if (this.#failure) {
      this.#waiting = undefined
      const { reason } = this.#failure
      this.#failure = undefined
      waiting.reject(reason)
    } else if (this.#isOver) {
      this.#waiting = undefined
      waiting.resolve({ done: true, value: undefined })
    }
  }
}

function isProtocolError(cause: Error | undefined): boolean {
  return cause !== undefined && 'code' in cause && String(cause.code).startsWith('HPE_')
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function shortType(type: string): string {
  return /^[\w.+-]+\/[\w.+-]+/.exec(type)?.[0].slice(0, 60) ?? 'no content type'
}
