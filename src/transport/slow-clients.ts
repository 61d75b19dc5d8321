import type { Server as HttpServer, IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

/** How long a client may take; whatever it does, a connection that makes no progress is closed within a minute. */
export interface SlowClientLimits {
  /** All headers of a request. */
  headersMs: number
  /** A whole request with its body. */
  requestMs: number
  /** How often the two are looked at. */
  checkEveryMs: number
  /** A reader that takes nothing of its answer, and a connection that has sent nothing yet. */
  readerMs: number
}

export const defaultSlowClientLimits: SlowClientLimits = {
  headersMs: 20_000,
  requestMs: 50_000,
  checkEveryMs: 5_000,
  readerMs: 30_000,
}

/**
 * Closes connections on which nothing has moved for some time, unless their answer is still being made: then nothing
 * waits to be read, and the client waits for us. Sockets that were upgraded have their own limits.
 */
export function closeStalledReaders(http: HttpServer, readerMs: number): void {
  const answers = new WeakMap<Socket, ServerResponse>()
  http.on('request', ({ socket }: IncomingMessage, response) => void answers.set(socket, response))
  http.setTimeout(readerMs, socket => {
    const answer = answers.get(socket)
    const isBeingMade = answer !== undefined && !answer.writableFinished && !answer.destroyed
    if (!isBeingMade || socket.writableLength > 0) socket.destroy()
  })
}
