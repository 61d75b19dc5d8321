import { missing } from '../../lib/errors.ts'
import { isId } from '../../lib/ids.ts'
import type { OwnKeyProvider, TrialResult } from '../../platform/models/index.ts'
import { tooManyRequests } from '../../transport/limits.ts'
import type { Parts } from './parts.ts'
import type { KeyUsageView, TrialView } from './schema.ts'
import { unreadableKey } from './sealing.ts'
import { type KeyRow, keepModels, readKey, type Sealed } from './store.ts'
import { listDays } from './store-usage.ts'
import { viewFailure } from './view.ts'

/** A key that is about to be used. It lives in memory for as long as a run takes, and goes nowhere else. */
export interface OpenKey {
  id: string
  provider: OwnKeyProvider
  name: string
  lastFour: string | null
  apiKey: string
  /** Null for the provider's own address. */
  baseUrl: string | null
  fallbackToCredits: boolean
}

/** Opens a key of an account; null when it is gone. Throws AppError conflict KEY_UNREADABLE. */
export async function openKey(parts: Parts, id: string, accountId: string): Promise<OpenKey | null> {
  const row = await readKey(parts.db, id, accountId)
  return row ? openRow(parts, row) : null
}

async function openRow(parts: Parts, row: KeyRow & Sealed): Promise<OpenKey> {
  const { id, provider, name, lastFour, baseUrl, fallbackToCredits } = row
  try {
    const apiKey = await parts.keyring.open(row)
    if (apiKey !== null) return { id, provider, name, lastFour, apiKey, baseUrl, fallbackToCredits }
  } catch (error) {
    parts.report(error, `provider key ${id} cannot be opened: its row was changed from outside`)
    throw unreadableKey(name)
  }
  parts.report(
    new Error(`master key ${row.masterKey} is not among ENCRYPTION_KEY and ENCRYPTION_RETIRED_KEYS`),
    `provider key ${id} cannot be opened`,
  )
  throw unreadableKey(name)
}

const trialMs = 15_000

const messages: Record<TrialResult['verdict'], string> = {
  works: 'The provider accepts this key.',
  refused: 'The provider refuses this key.',
  'out-of-credit': 'The provider knows this key, but its account there is out of credit.',
  limited: 'The provider knows this key, but limits its requests at the moment.',
  unreachable: 'The provider cannot be reached, or failed to answer.',
  unexpected: 'Something answers there, but not as this provider does. Check the base URL, or name a model.',
}

/** Asks the key's provider for a few tokens and says how that went. Throws 404, 409, 429. */
export async function tryKey(
  parts: Parts,
  accountId: string,
  { id, model }: { id: string; model?: string | undefined },
): Promise<TrialView> {
  const row = isId(id) ? await readKey(parts.db, id, accountId) : null
  if (!row) throw missing('Provider key')
  const counted = await parts.trials.consume(accountId)
  if (!counted.isAllowed) throw tooManyRequests(counted)
  const { provider, apiKey, baseUrl } = await openRow(parts, row)
  const asked = model ?? row.models[0]
  const trial = {
    ...{ provider, apiKey },
    ...(baseUrl === null ? {} : { baseUrl }),
    ...(asked === undefined ? {} : { model: asked }),
  }
  const { verdict, models } = await parts.models.tryKey(trial, AbortSignal.timeout(trialMs))
  if (models.length > 0 && row.models.length === 0) {
    await keepModels(parts.db, row, models)
    await parts.active.changed(accountId)
  }
  return { verdict, message: messages[verdict], models: [...models] }
}

/** What a key was used for in the last so many days. Throws 404. */
export async function readUsage(
  parts: Parts,
  accountId: string,
  { id, days }: { id: string; days: number },
): Promise<KeyUsageView> {
  const row = isId(id) ? await readKey(parts.db, id, accountId) : null
  if (!row) throw missing('Provider key')
  const used = await listDays(parts.db, id, days)
  const sum = (count: (day: (typeof used)[number]) => number) =>
    used.reduce((total, day) => total + count(day), 0)
  return {
    calls: sum(day => day.calls),
    errors: sum(day => day.errors),
    inputTokens: sum(day => day.inputTokens),
    outputTokens: sum(day => day.outputTokens),
    lastUsedAt: row.lastUsedAt?.toISOString() ?? null,
    lastError: viewFailure(row),
    days: used,
  }
}
