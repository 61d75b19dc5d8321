import type { FastifyReply, FastifyRequest } from 'fastify'
import { failureOf, type Started } from '../../features/generations/index.ts'
import { AppError, toAppError } from '../../lib/errors.ts'
import { untilGone } from '../../transport/auth.ts'
import { errorBody } from '../../transport/errors.ts'
import { openFrames } from '../../transport/sse.ts'
import { toCredits } from '../user.ts'
import { lastFrame, writeFrame } from './frames.ts'
import { inspect } from './inspection.ts'
import type { CodingAgentParts } from './parts.ts'
import { presentArtifact } from './present.ts'
import type { Wish } from './schema.ts'
import { turnFrames } from './turn.ts'

/** One call, and what its answer is like. */
export interface Exchange {
  request: FastifyRequest
  reply: FastifyReply
  wish: Wish
}

/** Asks in a conversation, or begins one. */
export async function send(
  deps: CodingAgentParts,
  { message, conversationId }: { message: string; conversationId?: string | null | undefined },
  exchange: Exchange,
): Promise<unknown> {
  const { accountId } = exchange.request.identity
  const asked = { accountId, kind: 'chat', message, conversationId: conversationId ?? undefined }
  return answer(deps, exchange, () => deps.generations.start(asked))
}

/** Answers the question before a message once more. Throws AppError invalid for a message that is no answer. */
export async function regenerate(
  deps: CodingAgentParts,
  messageId: string,
  exchange: Exchange,
): Promise<unknown> {
  const { accountId } = exchange.request.identity
  const { role, generationId } = await deps.conversations.readMessage(accountId, messageId)
  if (role !== 'assistant' || generationId === null) {
    throw new AppError('invalid', 'NOT_AN_ANSWER', 'Only answers of the assistant can be regenerated')
  }
  return answer(deps, exchange, () => deps.generations.regenerate({ accountId, generationId }))
}

async function answer(
  deps: CodingAgentParts,
  exchange: Exchange,
  start: () => Promise<Started>,
): Promise<unknown> {
  let started: Started
  try {
    started = await start()
  } catch (thrown) {
    if (thrown instanceof AppError && thrown.kind === 'payment') return refusePoor(deps, exchange)
    throw thrown
  }
  return exchange.wish.stream === false
    ? wholeAnswer(deps, exchange, started)
    : streamed(deps, exchange, started)
}

/** Clients of this API know lack of credits as a 403 with these words. */
async function refusePoor({ billing }: CodingAgentParts, { request, reply }: Exchange): Promise<object> {
  const text = 'You have exhausted your credits. Buy more, or choose a plan, to go on.'
  const error = new AppError('forbidden', 'INSUFFICIENT_CREDITS', text)
  const credits = toCredits(await billing.balance(request.identity.accountId))
  reply.code(403).header('cache-control', 'no-store')
  return { ...errorBody(error), credits }
}

async function wholeAnswer(deps: CodingAgentParts, { request, reply, wish }: Exchange, started: Started) {
  const { accountId } = request.identity
  const { id } = started.generation
  const ended = await deps.generations.wait(accountId, id, untilGone(request, reply))
  reply.header('x-stream-session-id', id)
  if (ended.status === 'failed') throw failureOf(ended)
  const { replyId, conversationId } = started
  const { artifacts, builds, security } = await inspect(deps.artifacts, accountId, { replyId, wish })
  const buildsCompleted = builds.filter(build => build.result?.success).length
  return {
    message: 'Message sent successfully',
    data: {
      messageId: replyId,
      conversationId,
      response: ended.content,
      artifacts: artifacts.map(each => presentArtifact(each, deps.links, wish.enablePreview)),
      builds: buildsCompleted,
      security,
      stats: {
        consolidatedCodeProcessed: artifacts.length,
        originalBlocks: (ended.content.match(/^ {0,3}(?:```|~~~)/gm)?.length ?? 0) >> 1,
        buildsCompleted,
        securityScanEnabled: security !== null,
      },
    },
  }
}

/** Sends the answer frame by frame; what goes wrong from here on is a frame too. */
async function streamed(deps: CodingAgentParts, exchange: Exchange, started: Started): Promise<FastifyReply> {
  const { request, reply, wish } = exchange
  const { accountId } = request.identity
  const signal = untilGone(request, reply)
  const frames = openFrames(reply, { 'x-stream-session-id': started.generation.id })
  let number = 0
  try {
    for await (const content of turnFrames(deps, { accountId, started, wish, signal })) {
      if (!(await frames.write(writeFrame(++number, content)))) return reply
    }
    await frames.write(lastFrame)
  } catch (thrown) {
    const error = toAppError(thrown)
    if (error.kind === 'internal') deps.report(thrown)
  } finally {
    frames.end()
  }
  return reply
}
