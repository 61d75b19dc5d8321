import { AppError, invalidField, missing } from '../../lib/errors.ts'
import { isId, newId } from '../../lib/ids.ts'
import type { OwnKeyProvider } from '../../platform/models/index.ts'
import { tooManyRequests } from '../../transport/limits.ts'
import type { Client } from '../accounts/index.ts'
import type { Parts } from './parts.ts'
import type { CreateKeyBody, KeyView, UpdateKeyBody } from './schema.ts'
import { lastFourOf } from './sealing.ts'
import {
  deactivateOthers,
  deleteKey,
  insertKey,
  type KeyRow,
  lockKeys,
  readKey,
  replaceSecret,
  updateKey,
} from './store.ts'
import { viewKey } from './view.ts'

/** Who changes keys, for the security log. */
export interface Caller {
  accountId: string
  sessionId?: string
  client?: Client
}

const mostKeys = 50

const labels: Record<OwnKeyProvider, string> = {
  openai: 'OpenAI',
  gemini: 'Gemini',
  anthropic: 'Anthropic',
  openrouter: 'OpenRouter',
  perplexity: 'Perplexity',
  custom: 'My server',
}

/** Seals a key and keeps it; an active one takes the place of the active one of its provider. Throws 400, 409, 429. */
export async function addKey(parts: Parts, caller: Caller, body: CreateKeyBody): Promise<KeyView> {
  const { provider, isActive = true, fallbackToCredits = false, models = [] } = body
  const { accountId } = caller
  const apiKey = body.apiKey?.trim() ?? ''
  if (apiKey === '' && provider !== 'custom') throw invalidField('apiKey', 'is required')
  if (body.baseUrl === undefined && provider === 'custom')
    throw invalidField('baseUrl', 'is required for a custom provider')
  const before = await parts.creations.peek(accountId)
  if (!before.isAllowed) throw tooManyRequests(before)
  const baseUrl = body.baseUrl === undefined ? null : await parts.models.admitBaseUrl(body.baseUrl)
  const counted = await parts.creations.consume(accountId)
  if (!counted.isAllowed) throw tooManyRequests(counted)
  const id = newId()
  const now = parts.now()
  const sealed = await parts.keyring.sealKey(apiKey, { id, accountId })
  const key = {
    ...{ id, accountId, provider, baseUrl, isActive, fallbackToCredits, now },
    ...sealed,
    name: body.name?.trim() ?? labels[provider],
    models: [...new Set(models)],
    lastFour: lastFourOf(apiKey),
  }
  const row = await parts.db.transaction().execute(async db => {
    const count = await lockKeys(db, accountId)
    if (count >= mostKeys)
      throw new AppError('conflict', 'TOO_MANY_KEYS', `There are ${mostKeys} keys already`)
    if (isActive) await deactivateOthers(db, key, now)
    const detail = { keyId: id, provider }
    await parts.accounts.noteSecurityEvent({ kind: 'provider-key-added', ...caller, detail }, db)
    return insertKey(db, key)
  })
  await parts.active.changed(accountId)
  return viewKey(row)
}

/**
 * Changes a key: its name, whether it pays, what happens when it is refused, where it leads, or (in place) the key itself. A
 * new base URL needs the key anew, so that nobody leads a kept key to a server of his own. Throws 400, 404.
 */
export async function changeKey(
  parts: Parts,
  caller: Caller,
  { id, body }: { id: string; body: UpdateKeyBody },
): Promise<KeyView> {
  const { accountId } = caller
  const kept = isId(id) ? await readKey(parts.db, id, accountId) : null
  if (!kept) throw missing('Provider key')
  const apiKey = body.apiKey?.trim()
  const baseUrl = await newBaseUrl(parts, kept, body)
  if (baseUrl !== kept.baseUrl && apiKey === undefined)
    throw invalidField('apiKey', 'must be given again with a new baseUrl')
  const sealed = apiKey === undefined ? null : await parts.keyring.sealKey(apiKey, { id, accountId })
  const now = parts.now()
  const row = await parts.db.transaction().execute(async db => {
    await lockKeys(db, accountId)
    const before = await readKey(db, id, accountId)
    if (!before) throw missing('Provider key')
    if (before.baseUrl !== kept.baseUrl && apiKey === undefined) throw changedMeanwhile()
    const after = { ...before, baseUrl, ...given(body) }
    if (after.isActive) await deactivateOthers(db, after, now)
    if (sealed && apiKey !== undefined)
      await replaceSecret(db, { id, accountId, ...sealed, lastFour: lastFourOf(apiKey) })
    const detail = { keyId: id, provider: before.provider, changed: Object.keys(body) }
    await parts.accounts.noteSecurityEvent({ kind: 'provider-key-changed', ...caller, detail }, db)
    return updateKey(db, after, now)
  })
  await parts.active.changed(accountId)
  return viewKey(row)
}

/** Removes a key for good. Throws 404. */
export async function removeKey(parts: Parts, caller: Caller, id: string): Promise<void> {
  const { accountId } = caller
  if (!isId(id)) throw missing('Provider key')
  await parts.db.transaction().execute(async db => {
    await lockKeys(db, accountId)
    const removed = await deleteKey(db, id, accountId)
    if (!removed) throw missing('Provider key')
    const detail = { keyId: id, provider: removed.provider }
    await parts.accounts.noteSecurityEvent({ kind: 'provider-key-removed', ...caller, detail }, db)
  })
  await parts.active.changed(accountId)
}

async function newBaseUrl(parts: Parts, kept: KeyRow, body: UpdateKeyBody): Promise<string | null> {
  if (body.baseUrl === undefined) return kept.baseUrl
  if (body.baseUrl !== null) return parts.models.admitBaseUrl(body.baseUrl)
  if (kept.provider === 'custom') throw invalidField('baseUrl', 'is required for a custom provider')
  return null
}

/** What of the body goes into the row as it is. */
function given({ name, models, isActive, fallbackToCredits }: UpdateKeyBody): Partial<KeyRow> {
  return {
    ...(name === undefined ? {} : { name: name.trim() }),
    ...(models === undefined ? {} : { models: [...new Set(models)] }),
    ...(isActive === undefined ? {} : { isActive }),
    ...(fallbackToCredits === undefined ? {} : { fallbackToCredits }),
  }
}

function changedMeanwhile(): AppError {
  return new AppError(
    'conflict',
    'CHANGED_MEANWHILE',
    'This key was changed by somebody else just now; look again',
  )
}
