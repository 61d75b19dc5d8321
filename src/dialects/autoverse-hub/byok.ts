import Type from 'typebox'
import { clientOf } from '../../features/accounts/index.ts'
import type { KeyView } from '../../features/keys/schema.ts'
import { invalidField } from '../../lib/errors.ts'
import type { Server } from '../../transport/server.ts'
import { autoverseHub } from '../dialects.ts'
import type { DialectParts } from '../parts.ts'
import { speak } from '../speech.ts'
import { toCredits } from '../user.ts'

const endpoint = speak(autoverseHub)

/** A key as its list shows it: `apiKey` is a mask, never the key. */
function viewKey({ id, provider, name, isActive, lastFour, createdAt, updatedAt }: KeyView) {
  const apiKey = `••••••••${lastFour ?? ''}`
  return { id, provider, keyName: name, isActive, apiKey, createdAt, updatedAt }
}

/** Own provider keys, at /byok and /api/byok alike. */
export function ownKeys(parts: DialectParts) {
  const { keys } = parts
  return async (server: Server) => {
    for (const at of ['/api/byok', '/byok']) {
      server.get(`${at}/keys`, listing, async request => ({
        success: true,
        keys: (await keys.list(request.identity.accountId)).map(viewKey),
      }))
      server.post(`${at}/key`, adding, async request => {
        const { provider, keyName: name, apiKey } = request.body
        const { accountId } = request.identity
        const isActive = (await keys.preference(accountId))?.preference !== 'platform'
        const caller = { ...request.identity, client: clientOf(request) }
        const key = await keys.create(caller, {
          provider: provider as 'openai',
          name,
          apiKey,
          isActive,
        })
        await keys.keyAdded(accountId)
        return { success: true, message: 'API key saved successfully', key: viewKey(key) }
      })
      server.put(`${at}/key/:id`, changing, async request => {
        const { keyName: name, apiKey, isActive } = request.body
        if (name === undefined && apiKey === undefined && isActive === undefined)
          throw invalidField('keyName', 'apiKey or isActive is required')
        const caller = { ...request.identity, client: clientOf(request) }
        const preference = await keys.preference(request.identity.accountId)
        if (isActive === true && preference?.preference === 'platform')
          throw invalidField('isActive', 'needs the preference byok')
        const change = { name, apiKey, isActive }
        return { success: true, key: viewKey(await keys.update(caller, request.params.id, given(change))) }
      })
      server.delete(`${at}/key/:id`, removing, async request => {
        await keys.remove({ ...request.identity, client: clientOf(request) }, request.params.id)
        return { success: true, message: 'API key deleted successfully' }
      })
      server.delete(`${at}/key`, removingNamed, async request => {
        const caller = { ...request.identity, client: clientOf(request) }
        await keys.remove(caller, String(request.body.keyId))
        return { success: true, message: 'API key deleted successfully' }
      })
      server.get(`${at}/preference`, reading, async request =>
        preferenceOf(parts, request.identity.accountId),
      )
      server.post(`${at}/preference`, choosing, async request => {
        const { accountId } = request.identity
        const chosen = await keys.prefer(accountId, request.body.preference as 'platform')
        return {
          success: true,
          preference: chosen.preference,
          credits: toCredits(await parts.billing.balance(accountId)),
          byokLockedUntil: chosen.lockedUntil?.toISOString() ?? null,
        }
      })
    }
  }
}

/** What was given, without the rest. */
function given<Change extends object>(change: Change) {
  return Object.fromEntries(Object.entries(change).filter(([, value]) => value !== undefined)) as {
    [Name in keyof Change]?: Exclude<Change[Name], undefined>
  }
}

async function preferenceOf({ keys, accounts }: DialectParts, accountId: string) {
  const [row, { plan }] = await Promise.all([keys.preference(accountId), accounts.read(accountId)])
  const lockedUntil = row?.lockedUntil ?? null
  const locked = lockedUntil !== null && lockedUntil > new Date()
  return {
    success: true,
    api_key_preference: row?.preference ?? null,
    byok_locked_until: lockedUntil?.toISOString() ?? null,
    byok_activated_at: row?.activatedAt?.toISOString() ?? null,
    plan_type: plan,
    creditTier: plan === 'basic' ? 'free' : plan,
    locked,
    lockMessage: locked ? `You work on your own keys until ${lockedUntil.toISOString().slice(0, 10)}` : null,
  }
}

const keyName = Type.String({ minLength: 1, maxLength: 100, pattern: '\\S' })
const apiKey = Type.String({ minLength: 10, maxLength: 500 })
const ById = Type.Object({ id: Type.String({ maxLength: 200 }) })
const noKey = { NOT_FOUND: { message: 'Key not found', code: 'KEY_NOT_FOUND' } }

const exampleKey = {
  id: '01936b2e-9c33-7f00-8a3c-5d6e7f809104',
  provider: 'openai',
  keyName: 'My OpenAI Key',
  isActive: true,
  apiKey: '••••••••f1a2',
  createdAt: '2026-11-20T09:30:00.000Z',
  updatedAt: '2026-11-20T09:30:00.000Z',
}

const listing = endpoint({
  summary: 'List my provider keys',
  description: '`apiKey` is a mask: a key is never given back.',
  answers: { 200: { success: true, keys: [exampleKey] } },
  failures: [401, 429],
})

const adding = endpoint({
  summary: 'Keep a provider key',
  description:
    'Takes the place of the active key of its provider. The first one of an account that chose byok begins its 90 days.',
  asks: {
    body: Type.Object(
      { provider: Type.Enum(['openai', 'gemini', 'perplexity']), keyName, apiKey },
      { examples: [{ provider: 'openai', keyName: 'My OpenAI Key', apiKey: 'sk-…0123456789' }] },
    ),
  },
  answers: { 200: { success: true, message: 'API key saved successfully', key: exampleKey } },
  failures: [400, 401, 403, 409, 429],
  names: { name: 'keyName' },
})

const changing = endpoint({
  summary: 'Change a provider key',
  asks: {
    params: ById,
    body: Type.Object(
      {
        keyName: Type.Optional(keyName),
        apiKey: Type.Optional(apiKey),
        isActive: Type.Optional(Type.Boolean()),
      },
      { examples: [{ keyName: 'Renamed' }] },
    ),
  },
  answers: { 200: { success: true, key: exampleKey } },
  failures: [400, 401, 403, 404, 429],
  names: { name: 'keyName' },
  codes: noKey,
})

const removed = { 200: { success: true, message: 'API key deleted successfully' } }

const removing = endpoint({
  summary: 'Remove a provider key',
  asks: { params: ById },
  answers: removed,
  failures: [401, 403, 404, 429],
  codes: noKey,
})

const removingNamed = endpoint({
  summary: 'Remove the provider key of the body',
  asks: {
    body: Type.Object(
      {
        keyId: Type.Union([
          Type.String({ maxLength: 200 }),
          Type.Number({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER }),
        ]),
      },
      { examples: [{ keyId: exampleKey.id }] },
    ),
  },
  answers: removed,
  failures: [400, 401, 403, 404, 429],
  codes: noKey,
})

const reading = endpoint({
  summary: 'Platform credits, or own keys?',
  answers: {
    200: {
      success: true,
      api_key_preference: 'byok',
      byok_locked_until: '2027-02-18T09:30:00.000Z',
      byok_activated_at: '2026-11-20T09:30:00.000Z',
      plan_type: 'basic',
      creditTier: 'free',
      locked: true,
      lockMessage: 'You work on your own keys until 2027-02-18',
    },
  },
  failures: [401, 429],
})

const choosing = endpoint({
  summary: 'Work on platform credits, or on own keys',
  description: 'byok binds for 90 days from the first key on: until then platform is 400 PREFERENCE_LOCKED.',
  asks: {
    body: Type.Object(
      { preference: Type.Enum(['platform', 'byok']) },
      { examples: [{ preference: 'platform' }] },
    ),
  },
  answers: { 200: { success: true, preference: 'platform', credits: 20, byokLockedUntil: null } },
  failures: [400, 401, 403, 429],
})
