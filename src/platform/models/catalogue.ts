import { AppError } from '../../lib/errors.ts'
import { createAnthropic } from './anthropic.ts'
import { createGemini } from './gemini.ts'
import {
  type CatalogueModel,
  type ModelAdapter,
  type Models,
  type OwnKeys,
  ownKeyProviders,
} from './index.ts'
import { createOpenAiCompatible } from './openai-compatible.ts'
import { createOutbound, type Outbound } from './outbound.ts'
import { knownModels, unknownModel } from './price-list.ts'
import { createSandboxModel, sandboxModel } from './sandbox.ts'
import { tryKey } from './trial.ts'

/** What the operator says about one provider. Without a key, a base URL other than the provider's own configures it too. */
export interface ProviderSettings {
  apiKey?: string | undefined
  baseUrl: string
  /** The provider's own name for the model that it should answer with by default. */
  model?: string | undefined
}

/** The part of the configuration that is about models. */
export interface ModelSettings {
  gemini: ProviderSettings
  openrouter: ProviderSettings
  openai: ProviderSettings
  anthropic: ProviderSettings
  defaultModel?: string | undefined
  allowAnyModel: boolean
  sandboxDelayMs: number
}

export interface ModelsDeps {
  settings: ModelSettings
  isProduction?: boolean
  /** Lets base URLs that accounts enter lead into the operator's own network. */
  allowPrivateAddresses?: boolean
}

/** The order in which a configured provider becomes the default when DEFAULT_MODEL is not set. */
const providers = ['gemini', 'openrouter', 'openai', 'anthropic'] as const
type Provider = (typeof providers)[number]

const ownBaseUrls: Record<Provider, string> = {
  gemini: 'https://generativelanguage.googleapis.com',
  openrouter: 'https://openrouter.ai/api/v1',
  openai: 'https://api.openai.com/v1',
  anthropic: 'https://api.anthropic.com',
}

const perplexityUrl = 'https://api.perplexity.ai'
/** A `custom` request always brings an address of its own; this one cannot exist. */
const nowhere = 'https://custom.invalid'

/**
 * The models that this server offers. Only configured providers are listed; the sandbox model is listed outside
 * production, and in production when nothing else is (free of charge there). Throws BAD_DEFAULT_MODEL when DEFAULT_MODEL
 * names a provider that is not configured.
 */
export function createModels({
  settings,
  isProduction = false,
  allowPrivateAddresses = false,
}: ModelsDeps): Models {
  const outbound = createOutbound({ allowPrivateAddresses })
  const adapters = createAdapters(settings, outbound)
  const configured = providers.filter(provider => isConfigured(provider, settings[provider]))
  const listed = configured.flatMap(provider => offeredModels(provider, settings[provider].model))
  if (!isProduction || listed.length === 0) listed.push(sandboxModel({ isFree: isProduction }))
  const byId = new Map(listed.map(model => [model.id, model]))
  const defaultModel = pickDefault(settings, listed)
  byId.set(defaultModel.id, defaultModel)

  function list({ ownKeysFor = [], ownModels = [] }: OwnKeys = {}): readonly CatalogueModel[] {
    const all = [...byId.values()]
    if (ownKeysFor.length === 0) return all
    const extra = ownKeysFor.filter(provider => isOwnProvider(provider) && !isAmong(configured, provider))
    const named = ownModels.filter(id => !byId.has(id)).map(namedModel)
    return [...all, ...extra.flatMap(provider => knownModels(provider)), ...named]
  }

  function offers(model: CatalogueModel): boolean {
    return byId.has(model.id) || (settings.allowAnyModel && isAmong(configured, model.provider))
  }

  function find(id: string, options: OwnKeys = {}): CatalogueModel {
    const found = byId.get(id) ?? findIn(list(options), id)
    if (found) return found
    const passed =
      settings.allowAnyModel || isOwn(id, options)
        ? passOn(id, [...configured, ...(options.ownKeysFor ?? [])])
        : undefined
    if (passed) return passed
    throw new AppError('invalid', 'UNKNOWN_MODEL', `There is no model "${id.slice(0, 100)}" here.`, {
      details: [{ field: 'model', message: 'must be one of the models that GET /api/v1/models lists' }],
    })
  }

  function adapterOf(model: CatalogueModel): ModelAdapter {
    const adapter = adapters.get(model.provider)
    if (!adapter)
      throw new AppError(
        'invalid',
        'UNKNOWN_MODEL',
        `There is no provider "${model.provider.slice(0, 100)}" here.`,
      )
    return adapter
  }

  return {
    list,
    defaultModel,
    find,
    adapterOf,
    offers,
    admitBaseUrl: outbound.admit,
    tryKey: (trial, signal) => tryKey({ adapters, outbound }, trial, signal),
    close: async () => outbound.close(),
  }
}

function createAdapters(settings: ModelSettings, outbound: Outbound): Map<string, ModelAdapter> {
  const { gemini, openrouter, openai, anthropic, sandboxDelayMs } = settings
  const all = [
    createGemini({ ...gemini, outbound }),
    createOpenAiCompatible({ provider: 'openrouter', label: 'OpenRouter', ...openrouter, outbound }),
    createOpenAiCompatible({ provider: 'openai', label: 'OpenAI', ...openai, outbound }),
    createAnthropic({ ...anthropic, outbound }),
    createOpenAiCompatible({ provider: 'perplexity', label: 'Perplexity', baseUrl: perplexityUrl, outbound }),
    createOpenAiCompatible({ provider: 'custom', label: 'Your provider', baseUrl: nowhere, outbound }),
    createSandboxModel({ delayMs: sandboxDelayMs }),
  ]
  return new Map(all.map(adapter => [adapter.provider, adapter]))
}

function isAmong(names: readonly string[], name: string): boolean {
  return names.includes(name)
}

function isOwnProvider(name: string): boolean {
  return isAmong(ownKeyProviders, name)
}

/** A model by its id, of which nothing else is known. */
function namedModel(id: string): CatalogueModel {
  const slash = id.indexOf('/')
  return unknownModel(id.slice(0, slash), id.slice(slash + 1))
}

function isProvider(name: string): name is Provider {
  return providers.some(provider => provider === name)
}

function isConfigured(provider: Provider, { apiKey, baseUrl }: ProviderSettings): boolean {
  return apiKey !== undefined || baseUrl !== ownBaseUrls[provider]
}

/** The provider's models, the one that the operator named first. */
function offeredModels(provider: Provider, named: string | undefined): CatalogueModel[] {
  const known = knownModels(provider)
  if (!named) return known
  const first = known.find(model => model.name === named) ?? unknownModel(provider, named)
  return [first, ...known.filter(model => model !== first)]
}

function pickDefault(settings: ModelSettings, listed: readonly CatalogueModel[]): CatalogueModel {
  const { defaultModel: named } = settings
  const first = listed[0]
  if (!first) throw new Error('a catalogue always lists a model')
  if (!named) return first
  const offered = new Set(listed.map(model => model.provider))
  const found = findIn(listed, named) ?? passOn(named, [...offered].filter(isProvider), { isPrefixed: true })
  if (found) return found
  throw new AppError(
    'invalid',
    'BAD_DEFAULT_MODEL',
    `DEFAULT_MODEL must be provider/name of a configured provider (${[...offered].join(', ')}), not "${named.slice(0, 100)}"`,
  )
}

function findIn(models: readonly CatalogueModel[], id: string): CatalogueModel | undefined {
  return models.find(model => model.id === id) ?? models.find(model => model.name === id)
}

function isOwn(id: string, { ownKeysFor = [] }: OwnKeys): boolean {
  return ownKeysFor.some(provider => id.startsWith(`${provider}/`))
}

/**
 * A name that the catalogue does not know, for the provider that it starts with, or else (names that are not
 * `provider/name`) for the first provider that takes any name.
 */
function passOn(
  id: string,
  among: readonly string[],
  { isPrefixed = false } = {},
): CatalogueModel | undefined {
  if (!/^[\w.:@/+-]{1,200}$/.test(id)) return undefined
  const slash = id.indexOf('/')
  const prefix = id.slice(0, Math.max(0, slash))
  const rest = id.slice(slash + 1)
  if (among.includes(prefix) && rest) return unknownModel(prefix, rest)
  if (isPrefixed) return undefined
  const open = among.find(provider => provider === 'openrouter' || provider === 'openai') ?? among[0]
  return open && !isProvider(prefix) && prefix !== 'custom' ? unknownModel(open, id) : undefined
}
