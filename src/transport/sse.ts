import type { ServerResponse } from 'node:http'
import type { FastifyReply } from 'fastify'
import { portions, type StreamedEvent } from './portions.ts'

const pingEveryMs = 15_000
const slowReaderMs = 30_000
const open = new Set<ServerResponse>()

/** One timer for all open streams: a comment now and then keeps proxies from closing quiet ones. */
const pinger = setInterval(() => {
  for (const response of open) if (!response.writableNeedDrain) response.write(': ping\n\n')
}, pingEveryMs)
pinger.unref()

/** Aborts when the client of this answer has gone. */
export function clientGone(reply: FastifyReply): AbortSignal {
  const controller = new AbortController()
  reply.raw.once('close', () => {
    if (!reply.raw.writableFinished) controller.abort(new Error('client gone'))
  })
  return controller.signal
}

/**
 * Answers with events as `text/event-stream` until they end or the client leaves: `id: <seq>`, `data: <JSON>`. What is
 * ready together is written together. A reader that takes nothing for 30 seconds is closed; it costs one portion.
 */
export async function sendEvents(
  reply: FastifyReply,
  batches: AsyncIterable<readonly StreamedEvent[]>,
  headers: Readonly<Record<string, string>> = {},
): Promise<void> {
  reply.hijack()
  const response = reply.raw
  response.writeHead(200, {
    ...(reply.getHeaders() as Record<string, string>),
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-cache, no-transform',
    'x-accel-buffering': 'no',
    ...headers,
  })
  // The headers leave together with the first events when there are any, and do not wait for them otherwise.
  const flushing = setImmediate(() => response.flushHeaders())
  open.add(response)
  try {
    for await (const batch of batches) {
      clearImmediate(flushing)
      for (const portion of portions(batch)) {
        if (!response.write(frames(portion)) && !(await drained(response))) return
      }
    }
  } finally {
    clearImmediate(flushing)
    open.delete(response)
    response.end()
  }
}

function frames(batch: readonly StreamedEvent[]): string {
  let text = ''
  for (const event of batch) text += `id: ${event.seq}\ndata: ${JSON.stringify(event)}\n\n`
  return text
}

/** Waits until the client has read what was written; false when it has gone or reads nothing. */
function drained(response: ServerResponse): Promise<boolean> {
  return new Promise(resolve => {
    if (response.destroyed) return resolve(false)
    const timer = setTimeout(() => response.destroy(), slowReaderMs)
    const settle = (isDrained: boolean) => {
      clearTimeout(timer)
      response.off('drain', onDrain).off('close', onClose)
      resolve(isDrained)
    }
    const onDrain = () => settle(true)
    const onClose = () => settle(false)
    response.on('drain', onDrain).on('close', onClose)
  })
}
