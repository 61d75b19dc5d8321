import { AppError, toAppError } from '../../lib/errors.ts'
import type { Database } from '../../platform/database/index.ts'
import type { CatalogueModel, Models } from '../../platform/models/index.ts'
import { type Billing, type HoldTerms, holdAmount, holdTerms, type Payment } from '../billing/index.ts'
import { type ActiveKey, type Keys, type OpenKey, ownKeysOf } from '../keys/index.ts'
import type { Prompt } from './recipes.ts'
import { type Run, RunLost } from './run.ts'
import type { Settings } from './schema.ts'
import { payByCredits, payByKey } from './store-payers.ts'

export interface PayersDeps {
  db: Database
  models: Models
  keys: Pick<Keys, 'active' | 'open'>
  billing: Pick<Billing, 'dailyLimits' | 'explaining'>
}

/** A run before it begins. */
interface Wish {
  accountId: string
  model: string | undefined
  settings: Settings
  isCounted: boolean
}

/**
 * Which model answers, and who pays: the account's active key of its provider, else credits, of which the highest price of
 * all models that credits may have to pay for is held. Throws UNKNOWN_MODEL, also for fallbacks.
 */
export async function decidePayer(
  deps: PayersDeps,
  { accountId, model: name, settings, isCounted }: Wish,
): Promise<{ model: CatalogueModel; hold: Payment }> {
  const { models } = deps
  const active = await deps.keys.active(accountId)
  const own = ownKeysOf(active)
  const model = name === undefined ? models.defaultModel : models.find(name, own)
  const fallbacks = (settings.fallbackModels ?? []).map(fallback => models.find(fallback, own))
  const key = keyFor(active, model)
  if (key) return { model, hold: { keyId: key.id } }
  const paid = [model, ...fallbacks.filter(fallback => !keyFor(active, fallback))]
  const limits = isCounted ? deps.billing.dailyLimits : null
  return { model, hold: holdTerms(paid, settings.maxOutputTokens, limits) }
}

function keyFor(active: readonly ActiveKey[], { provider }: CatalogueModel): ActiveKey | undefined {
  return active.find(key => key.provider === provider)
}

/**
 * Opens the key that pays for a run. One that is gone by now gives way to the provider's active one. Throws KEY_REMOVED
 * when there is none, KEY_UNREADABLE.
 */
export async function openPayer(deps: PayersDeps, run: Run): Promise<void> {
  const { accountId, generation, model } = run
  if (generation.keyId === null) return
  run.key = await deps.keys.open(generation.keyId, accountId)
  if (run.key) return
  const other = keyFor(await deps.keys.active(accountId), model)
  const key = other ? await deps.keys.open(other.id, accountId) : null
  if (!key)
    throw new AppError(
      'unprocessable',
      'KEY_REMOVED',
      'The provider key that was to pay for this answer was removed before it began.',
    )
  await chargeKey(deps, run, { key, reason: 'KEY_REMOVED' })
}

/** What a run goes on with after trouble. */
export interface Trouble {
  thrown: unknown
  prompt: Prompt
  /** The models that are left to be asked. */
  fallbacks: readonly string[]
}

/**
 * Goes on at the cost of credits where the provider refused the key, its owner wants that, and the platform has the model;
 * the hold is taken first. False when the key's refusal stands. Throws KEY_REFUSED when credits do not suffice.
 */
export async function payRefused(deps: PayersDeps, run: Run, trouble: Trouble): Promise<boolean> {
  const { key, model } = run
  if (!key || !isKeyTrouble(trouble.thrown) || !mayUseCredits(deps, key, model)) return false
  try {
    await chargeCredits(deps, run, { ...trouble, model, reason: toAppError(trouble.thrown).code })
    return true
  } catch (error) {
    const { kind, message } = toAppError(error)
    if (kind !== 'payment' && kind !== 'limited') throw error
    throw refusalOf(key, trouble.thrown, ` Credits were to pay then, but: ${message}`)
  }
}

/**
 * Goes on with a fallback model, at the cost of the active key of its provider, else of credits where they pay already or
 * may pay. False when nobody may pay for it.
 */
export async function switchModel(
  deps: PayersDeps,
  run: Run,
  name: string,
  trouble: Trouble,
): Promise<boolean> {
  const active = await deps.keys.active(run.accountId)
  const model = deps.models.find(name, ownKeysOf(active))
  const own = keyFor(active, model)
  const key = own ? await deps.keys.open(own.id, run.accountId) : null
  const reason = toAppError(trouble.thrown).code
  if (key) {
    if (key.id !== run.key?.id) await chargeKey(deps, run, { key, reason })
  } else if (run.key) {
    if (!mayUseCredits(deps, run.key, model)) return false
    await chargeCredits(deps, run, { ...trouble, model, reason })
  }
  run.switchTo(model)
  return true
}

/** A provider's trouble as it is told to whoever owns the key that paid; other trouble as it is. */
export function explainTrouble(key: OpenKey | null, thrown: unknown): unknown {
  return key && isKeyTrouble(thrown) ? refusalOf(key, thrown) : thrown
}

/** Codes of a key that its provider does not take, or whose account there is empty. */
function isKeyTrouble(thrown: unknown): boolean {
  return ['PROVIDER_KEY_REFUSED', 'PROVIDER_OUT_OF_CREDIT'].includes(toAppError(thrown).code)
}

function refusalOf(key: OpenKey, thrown: unknown, more = ''): AppError {
  const { message, code } = toAppError(thrown)
  const which = key.lastFour ? `"${key.name}" (…${key.lastFour})` : `"${key.name}"`
  const what =
    code === 'PROVIDER_OUT_OF_CREDIT'
      ? `cannot pay any more`
      : `was refused: check it, or put another in its place`
  return new AppError('unprocessable', 'KEY_REFUSED', `Your key ${which} ${what}. ${message}${more}`)
}

function mayUseCredits(deps: PayersDeps, key: OpenKey, model: CatalogueModel): boolean {
  return key.fallbackToCredits && deps.models.offers(model)
}

async function chargeKey(deps: PayersDeps, run: Run, { key, reason }: { key: OpenKey; reason: string }) {
  const { id, attempts } = run.generation
  await run.stored
  if (!(await payByKey(deps.db, { id, attempts, keyId: key.id }))) throw new RunLost()
  run.payWith(key, reason)
}

/** Lets credits pay from now on: by the hold that is there, or by one that is taken now. Throws 402, 429. */
async function chargeCredits(
  deps: PayersDeps,
  run: Run,
  { prompt, fallbacks, model, reason }: Trouble & { model: CatalogueModel; reason: string },
): Promise<void> {
  const { id, attempts, accountId } = run.generation
  const isHeld = run.holdMicroCredits > 0
  const terms = isHeld ? null : await termsOf(deps, run, { model, fallbacks })
  const amount = terms && holdAmount(terms, lengthOf(prompt))
  const change = { id, attempts, amount, dailyLimits: terms?.dailyLimits ?? null }
  const held = await deps.billing.explaining(accountId, () => payByCredits(deps.db, change))
  if (held === null) throw new RunLost()
  run.holdMicroCredits = held
  run.payWith(null, reason)
}

async function termsOf(
  deps: PayersDeps,
  run: Run,
  { model, fallbacks }: { model: CatalogueModel; fallbacks: readonly string[] },
): Promise<HoldTerms> {
  const { settings, messageId, replyOffset } = run.generation
  const active = await deps.keys.active(run.accountId)
  const others = fallbacks.map(name => deps.models.find(name, ownKeysOf(active)))
  const models = [model, ...others.filter(other => !keyFor(active, other) && deps.models.offers(other))]
  const isCounted = messageId !== null && replyOffset === 0
  return holdTerms(models, settings.maxOutputTokens, isCounted ? deps.billing.dailyLimits : null)
}

function lengthOf({ system = '', messages }: Prompt): number {
  return messages.reduce((sum, { content }) => sum + content.length, system.length)
}
