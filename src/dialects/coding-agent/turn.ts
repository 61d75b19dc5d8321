import type { Started } from '../../features/generations/index.ts'
import { type AppError, toAppError } from '../../lib/errors.ts'
import { portions, type StreamedEvent } from '../../transport/portions.ts'
import { toCredits } from '../user.ts'
import {
  artifactFrame,
  buildFrame,
  completeFrame,
  connectionFrame,
  errorFrame,
  type FrameContent,
  metadataFrame,
  securityFrame,
  textFrame,
} from './frames.ts'
import { inspect } from './inspection.ts'
import type { CodingAgentParts } from './parts.ts'
import type { Wish } from './schema.ts'

/** A turn that is to be told as frames. */
export interface Turn {
  accountId: string
  started: Started
  wish: Wish
  /** Aborts when the client has gone. */
  signal: AbortSignal
}

/** So much text fits a frame of one packet, whatever its characters. */
const textPerFrame = 400

/** The frames of a turn in their order: metadata, connection, text, builds, security, artifacts, complete. */
export async function* turnFrames(deps: CodingAgentParts, turn: Turn): AsyncGenerator<FrameContent> {
  const { accountId, started, wish } = turn
  const { conversationId, replyId } = started
  const sessionId = started.generation.id
  yield metadataFrame({ conversationId, messageId: replyId })
  yield connectionFrame(sessionId)
  let reason = 'failed'
  let count = 0
  try {
    reason = yield* textFrames(deps, turn)
    const { artifacts, builds, security } = await inspect(deps.artifacts, accountId, { replyId, wish })
    for (const build of builds) yield buildFrame(build)
    if (security && artifacts.length > 0) yield securityFrame(security)
    for (const artifact of artifacts) yield artifactFrame(artifact, deps.links)
    count = artifacts.length
  } catch (thrown) {
    yield errorFrame(toldOf(deps, thrown).message)
  }
  const credits = toCredits(await deps.billing.balance(accountId))
  yield completeFrame({ reason, sessionId, conversationId, messageId: replyId, artifacts: count, credits })
}

function toldOf(deps: CodingAgentParts, thrown: unknown): AppError {
  const error = toAppError(thrown)
  if (error.kind === 'internal') deps.report(thrown)
  return error
}

/** The text as it comes, and why it came to nothing if it did; returns how it ended. */
async function* textFrames(deps: CodingAgentParts, turn: Turn): AsyncGenerator<FrameContent, string> {
  const { accountId, started, signal } = turn
  const follow = { accountId, id: started.generation.id, after: 0, signal }
  for await (const batch of await deps.generations.follow(follow)) {
    for (const portion of portions(batch, textPerFrame)) {
      const text = portion.map(event => (event.type === 'text-delta' ? (event.text ?? '') : '')).join('')
      if (text !== '') yield textFrame(text)
    }
    const end = batch.find(event => event.type === 'generation-end') as EndEvent | undefined
    if (!end) continue
    if (end.error) yield errorFrame(end.error.message)
    return end.status
  }
  return 'interrupted'
}

interface EndEvent extends StreamedEvent {
  status: string
  error: { code: string; message: string } | null
}
