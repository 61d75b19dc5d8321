import type { FastifyReply, FastifyRequest } from 'fastify'
import type { LogEvent } from '../../platform/events/index.ts'
import { untilGone } from '../../transport/auth.ts'
import { ok } from '../../transport/envelope.ts'
import { sendEvents } from '../../transport/sse.ts'
import { failureOf } from './failure.ts'
import type { FollowRequest } from './follow.ts'
import { presentGeneration } from './present.ts'
import type { Started } from './requests.ts'
import type { StartBody } from './schema.ts'
import type { StoredLog } from './store.ts'

/** What can stop a generation. */
interface Canceller {
  cancel(accountId: string, id: string): Promise<unknown>
}

interface Reading {
  accountId: string
  /** The generation's. */
  id: string
  /** Aborted when its reader has gone. */
  signal: AbortSignal
  report: (error: unknown) => void
}

/** Stops a generation when its reader goes, and at once when it has gone already. */
export function cancelWhenGone(generations: Canceller, { accountId, id, signal, report }: Reading): void {
  const cancel = () => void generations.cancel(accountId, id).catch(report)
  if (signal.aborted) cancel()
  else signal.addEventListener('abort', cancel, { once: true })
}

/** What of the generations a delivery needs. */
interface Deliverer extends Canceller {
  wait(accountId: string, id: string, signal: AbortSignal): Promise<StoredLog>
  follow(request: FollowRequest): Promise<AsyncIterable<readonly LogEvent[]>>
}

/** What the request says about how it is run: as a job, and under which name. */
export function submission(request: {
  body: { background?: boolean } | null
  headers: { 'idempotency-key'?: string }
}) {
  return {
    asJob: request.body?.background === true,
    idempotencyKey: request.headers['idempotency-key'],
  }
}

export interface Delivery {
  request: FastifyRequest
  reply: FastifyReply
  started: Started
  asked: Partial<StartBody>
}

/** Aborted when the client has gone; the generation is stopped then if that was asked for. */
export function untilReaderGone(
  generations: Canceller,
  { request, reply, started, asked }: Delivery,
): AbortSignal {
  const { accountId } = request.identity
  const signal = untilGone(request, reply)
  const report = (err: unknown) => request.log.error({ err }, 'an answer could not be cancelled')
  if (asked.onDisconnect === 'cancel')
    cancelWhenGone(generations, { accountId, id: started.generation.id, signal, report })
  return signal
}

/** Hands a started generation to the client the way it asked for: events, the finished answer, or a receipt. */
export async function deliver(
  generations: Deliverer,
  { request, reply, started, asked }: Delivery,
): Promise<unknown> {
  const { accountId } = request.identity
  const { id } = started.generation
  if (asked.background) {
    reply.code(202)
    return ok({ ...started, generation: presentGeneration(started.generation) })
  }
  const signal = untilReaderGone(generations, { request, reply, started, asked })
  if (asked.stream === false) {
    const ended = await generations.wait(accountId, id, signal)
    reply.header('x-stream-session-id', id)
    if (ended.status === 'failed') throw failureOf(ended)
    return ok({
      generation: presentGeneration(ended),
      message: { id: started.messageId, content: asked.message ?? '' },
      reply: { id: started.replyId, content: ended.content },
    })
  }
  const events = await generations.follow({ accountId, id, after: 0, signal })
  await sendEvents(reply, events, { 'x-stream-session-id': id })
  return reply
}
