import type { ServerResponse } from 'node:http'
import type { FastifyReply } from 'fastify'
import { portions, type StreamedEvent } from './portions.ts'

const pingEveryMs = 15_000
const slowReaderMs = 30_000
const gatherMs = 20
const open = new Set<ServerResponse>()

/** One timer for all open streams: a comment now and then keeps proxies from closing quiet ones. */
const pinger = setInterval(() => {
  for (const response of open) if (!response.writableNeedDrain) response.write(': ping\n\n')
}, pingEveryMs)
pinger.unref()

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
  const release = gather(response)
  open.add(response)
  let isFirst = true
  try {
    for await (const batch of batches) {
      for (const portion of portions(batch)) {
        if (!response.write(frames(portion)) && !(await drained(response))) return
      }
      if (!isFirst || batch.length > 1) release()
      isFirst = false
    }
  } finally {
    release()
    open.delete(response)
    response.end()
  }
}

/**
 * Holds back what is written for a few milliseconds: headers, the first event and the first words of a fast answer then
 * leave as one packet, which is most of what a short answer costs. The function that is returned lets go earlier.
 */
function gather(response: ServerResponse): () => void {
  // The socket, not the response: letting go of a response writes the parts of a chunk one by one.
  const { socket } = response
  socket?.cork()
  let isHeld = true
  const timer = setTimeout(() => {
    if (response.writableLength === 0) response.flushHeaders()
    release()
  }, gatherMs)
  function release(): void {
    if (!isHeld) return
    isHeld = false
    clearTimeout(timer)
    socket?.uncork()
  }
  return release
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
