import { createHash } from 'node:crypto'
import { AppError, invalidField } from '../../lib/errors.ts'
import type { Engine } from './engine.ts'
import type { Started, Submission } from './requests.ts'
import { type Idempotency, readByIdempotencyKey } from './store.ts'

const longestKey = 255

/** The key of a request with a hash of all that it asks; null without a key. Throws AppError invalid on a bad key. */
export function idempotencyOf(request: Submission, asked: readonly unknown[]): Idempotency | null {
  const { idempotencyKey: key, model, ...rest } = request
  if (key === undefined) return null
  if (key.length === 0 || key.length > longestKey || !/^[\x20-\x7e]+$/.test(key)) {
    throw invalidField('Idempotency-Key', `must be 1 to ${longestKey} printable ASCII characters`)
  }
  const { temperature, topK, topP, maxOutputTokens, attributes } = rest as Record<string, unknown>
  const all = [
    ...asked,
    model ?? null,
    temperature ?? null,
    topK ?? null,
    topP ?? null,
    maxOutputTokens ?? null,
    ...(attributes === undefined ? [] : [attributes]),
  ]
  return { key, requestHash: createHash('sha256').update(JSON.stringify(all)).digest() }
}

/** Starts what a request asks for, unless its key says that this was done: then gives what was started. */
export async function once(
  engine: Engine,
  turn: { accountId: string; idempotency: Idempotency | null },
  begin: () => Promise<Started>,
): Promise<Started> {
  const { idempotency, accountId } = turn
  const { billing } = engine
  if (!idempotency) return billing.explaining(accountId, begin)
  const before = await findStarted(engine, accountId, idempotency)
  if (before) return before
  try {
    return await billing.explaining(accountId, begin)
  } catch (error) {
    // Whatever stands in the way now (the key, the last answer, the balance) may be what the first request did.
    const now = await findStarted(engine, accountId, idempotency)
    if (!now) throw error
    return now
  }
}

async function findStarted(
  engine: Engine,
  accountId: string,
  { key, requestHash }: Idempotency,
): Promise<Started | null> {
  const generation = await readByIdempotencyKey(engine.db, accountId, key)
  if (!generation) return null
  if (!generation.requestHash.equals(requestHash)) {
    throw new AppError(
      'unprocessable',
      'IDEMPOTENCY_KEY_REUSED',
      'This Idempotency-Key was used for another request',
    )
  }
  const { conversationId, messageId, replyId } = generation
  return {
    generation,
    conversationId: conversationId ?? '',
    messageId: messageId ?? '',
    replyId: replyId ?? '',
  }
}
