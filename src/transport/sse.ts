import type { ServerResponse } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
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
  const response = begin(reply, headers)
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

function begin(reply: FastifyReply, headers: Readonly<Record<string, string>>): ServerResponse {
  reply.hijack()
  return reply.raw.writeHead(200, {
    ...(reply.getHeaders() as Record<string, string>),
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-cache, no-transform',
    'x-accel-buffering': 'no',
    ...headers,
  })
}

/** An event stream that is written frame by frame. */
export interface Frames {
  /** Writes one frame in one call, apart from the one before. False when the client has gone. */
  write(frame: string): Promise<boolean>
  end(): void
}

const apartMs = 4

/**
 * Answers with a `text/event-stream` for clients that take each network read by itself: a frame that is cut between two
 * reads is lost to them, so frames should fit one packet, and each is sent alone, a few milliseconds after the last.
 */
export function openFrames(reply: FastifyReply, headers: Readonly<Record<string, string>> = {}): Frames {
  const response = begin(reply, headers)
  open.add(response)
  response.once('close', () => open.delete(response))
  let lastAt = 0
  return {
    async write(frame) {
      const waitMs = lastAt + apartMs - performance.now()
      if (waitMs > 0) await sleep(waitMs)
      if (response.destroyed) return false
      const isTaken = response.write(frame)
      lastAt = performance.now()
      return isTaken || drained(response)
    },
    end() {
      open.delete(response)
      response.end()
    },
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
