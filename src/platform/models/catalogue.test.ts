import { afterEach, describe, expect, test } from 'vitest'
import { startProvider } from '../../../test/provider/index.ts'
import { loadConfig } from '../../config.ts'
import { AppError } from '../../lib/errors.ts'
import { createModels, type ModelsDeps } from './catalogue.ts'
import { askFor, listen } from './contract.ts'
import type { Models } from './index.ts'

const opened: Models[] = []
afterEach(async () => {
  await Promise.all(opened.splice(0).map(models => models.close()))
})

function modelsFor(env: Record<string, string> = {}, deps: Partial<ModelsDeps> = {}): Models {
  const models = createModels({ settings: loadConfig(env).models, ...deps })
  opened.push(models)
  return models
}

const providersOf = (models: Models) => [...new Set(models.list().map(model => model.provider))]

function refusal(run: () => unknown): AppError {
  try {
    run()
  } catch (error) {
    if (error instanceof AppError) return error
    throw error
  }
  throw new Error('it was not refused')
}

describe('what is listed', () => {
  test('without any key only the sandbox model, and it is the default', () => {
    const models = modelsFor()
    expect(models.list().map(model => model.id)).toEqual(['sandbox/sandbox'])
    expect(models.defaultModel.id).toBe('sandbox/sandbox')
  })

  test('the providers that have a key, and no others', () => {
    expect(providersOf(modelsFor({ GEMINI_API_KEY: 'a', ANTHROPIC_API_KEY: 'b' }))).toEqual([
      'gemini',
      'anthropic',
      'sandbox',
    ])
  })

  test('a base URL of its own configures a provider without a key', () => {
    expect(providersOf(modelsFor({ OPENAI_BASE_URL: 'http://127.0.0.1:11434/v1' }))).toEqual([
      'openai',
      'sandbox',
    ])
  })

  test('in production the sandbox is there only when nothing else is, and free', () => {
    const alone = modelsFor({}, { isProduction: true })
    expect(alone.list()).toMatchObject([
      { id: 'sandbox/sandbox', inputPriceMicroCredits: 0, outputPriceMicroCredits: 0 },
    ])
    expect(providersOf(modelsFor({ OPENAI_API_KEY: 'a' }, { isProduction: true }))).toEqual(['openai'])
  })

  test('every model has a name of its own, sizes, and a price in whole micro-credits', () => {
    const keys = { GEMINI_API_KEY: 'a', OPENROUTER_API_KEY: 'b', OPENAI_API_KEY: 'c', ANTHROPIC_API_KEY: 'd' }
    const list = modelsFor(keys).list()
    expect(new Set(list.map(model => model.id)).size).toBe(list.length)
    for (const model of list) {
      expect(model.id).toBe(`${model.provider}/${model.name}`)
      expect(model.maxOutputTokens).toBeLessThan(model.contextTokens)
      for (const price of [model.inputPriceMicroCredits, model.outputPriceMicroCredits]) {
        expect(Number.isSafeInteger(price) && price > 0).toBe(true)
      }
    }
  })

  test('1 USD per million tokens is 100,000 micro-credits per thousand', () => {
    const model = modelsFor({ ANTHROPIC_API_KEY: 'a' }).find('anthropic/claude-haiku-4-5')
    expect(model).toMatchObject({ inputPriceMicroCredits: 100_000, outputPriceMicroCredits: 500_000 })
  })
})

describe('the default', () => {
  test('is the first configured provider’s first model', () => {
    expect(modelsFor({ ANTHROPIC_API_KEY: 'a', OPENROUTER_API_KEY: 'b' }).defaultModel.provider).toBe(
      'openrouter',
    )
  })

  test.each([
    ['gemini/gemini-2.5-pro', 'gemini/gemini-2.5-pro'],
    ['gemini-2.5-pro', 'gemini/gemini-2.5-pro'],
    ['gemini/gemini-99', 'gemini/gemini-99'],
    ['sandbox/sandbox', 'sandbox/sandbox'],
  ])('DEFAULT_MODEL=%s', (named, expected) => {
    const models = modelsFor({ GEMINI_API_KEY: 'a', DEFAULT_MODEL: named })
    expect(models.defaultModel.id).toBe(expected)
    expect(models.find(expected)).toEqual(models.defaultModel)
  })

  test('a provider’s own default', () => {
    const models = modelsFor({ GEMINI_API_KEY: 'a', GEMINI_MODEL: 'gemini-2.5-flash' })
    expect(models.defaultModel).toMatchObject({ id: 'gemini/gemini-2.5-flash', contextTokens: 1_048_576 })
  })

  test('a model that nobody knows gets careful sizes and a price', () => {
    const models = modelsFor({ OPENAI_BASE_URL: 'http://127.0.0.1:11434/v1', OPENAI_MODEL: 'llama3.2' })
    expect(models.defaultModel).toEqual({
      id: 'openai/llama3.2',
      provider: 'openai',
      name: 'llama3.2',
      label: 'llama3.2',
      contextTokens: 32_768,
      maxOutputTokens: 8192,
      inputPriceMicroCredits: 300_000,
      outputPriceMicroCredits: 1_500_000,
    })
  })

  test('a DEFAULT_MODEL of a provider without a key stops the start and says which are there', () => {
    const error = refusal(() => modelsFor({ GEMINI_API_KEY: 'a', DEFAULT_MODEL: 'openai/gpt-6-luna' }))
    expect(error.message).toBe(
      'DEFAULT_MODEL must be provider/name of a configured provider (gemini, sandbox), not "openai/gpt-6-luna"',
    )
  })
})

describe('finding', () => {
  test('by id and by the provider’s own name', () => {
    const models = modelsFor({ OPENROUTER_API_KEY: 'a', GEMINI_API_KEY: 'b' })
    expect(models.find('openrouter/google/gemini-2.5-flash').provider).toBe('openrouter')
    expect(models.find('google/gemini-2.5-flash').provider).toBe('openrouter')
    expect(models.find('gemini-2.5-flash').provider).toBe('gemini')
  })

  test.each([
    '',
    'nope',
    'openai/gpt-6-luna',
    'gemini/',
    '__proto__',
    'toString',
    'gemini/gemini-99',
    'x'.repeat(5000),
  ])('anything else is refused: %s', name => {
    const error = refusal(() => modelsFor({ GEMINI_API_KEY: 'a' }).find(name))
    expect(error).toMatchObject({ kind: 'invalid', code: 'UNKNOWN_MODEL', details: [{ field: 'model' }] })
    expect(error.message.length).toBeLessThan(200)
  })

  test('ALLOW_ANY_MODEL passes names on as they are', () => {
    const models = modelsFor({ GEMINI_API_KEY: 'a', OPENAI_API_KEY: 'b', ALLOW_ANY_MODEL: 'true' })
    expect(models.find('gemini/gemini-99')).toMatchObject({ provider: 'gemini', name: 'gemini-99' })
    expect(models.find('openai/ft:gpt-4.1:me::1')).toMatchObject({
      provider: 'openai',
      name: 'ft:gpt-4.1:me::1',
    })
    expect(models.find('bench-model')).toMatchObject({ provider: 'openai', name: 'bench-model' })
    expect(models.find('meta/llama-4')).toMatchObject({ provider: 'openai', name: 'meta/llama-4' })
    expect(refusal(() => models.find('anthropic/claude-opus-5-5')).code).toBe('UNKNOWN_MODEL')
    expect(refusal(() => models.find('a b')).code).toBe('UNKNOWN_MODEL')
  })

  test('a person’s own key opens its provider, for that person', () => {
    const models = modelsFor({ GEMINI_API_KEY: 'a' })
    expect(refusal(() => models.find('anthropic/claude-opus-5-5')).code).toBe('UNKNOWN_MODEL')
    const ownKeysFor = ['anthropic']
    expect(models.find('anthropic/claude-opus-5-5', { ownKeysFor }).provider).toBe('anthropic')
    expect(models.find('anthropic/claude-next', { ownKeysFor }).name).toBe('claude-next')
    expect(models.list({ ownKeysFor }).some(model => model.provider === 'anthropic')).toBe(true)
    expect(models.list().some(model => model.provider === 'anthropic')).toBe(false)
  })
})

test('each provider’s adapter reaches that provider, with the operator’s base URL and key', async () => {
  await using provider = await startProvider()
  const { gemini, openrouter, openai, anthropic } = provider.baseUrls
  const models = modelsFor({
    ...{
      GEMINI_BASE_URL: gemini,
      OPENROUTER_BASE_URL: openrouter,
      OPENAI_BASE_URL: openai,
      ANTHROPIC_BASE_URL: anthropic,
    },
    ...{ GEMINI_API_KEY: 'a', OPENROUTER_API_KEY: 'b', OPENAI_API_KEY: 'c', ANTHROPIC_API_KEY: 'd' },
  })
  for (const name of ['gemini', 'openrouter', 'openai', 'anthropic']) {
    const model = models.list().find(({ provider }) => provider === name)
    if (!model) throw new Error(`${name} is not listed`)
    const heard = await listen(models.adapterOf(model), askFor({ model: model.name }))
    expect(heard).toMatchObject({ text: 'tok0 tok1 tok2 tok3 tok4', finish: 'stop' })
  }
  const log = await provider.requests()
  expect(log.map(({ path }) => path.split('/')[1])).toEqual(['gemini', 'openrouter', 'openai', 'anthropic'])
  expect(new Set(log.map(({ auth }) => auth?.fingerprint)).size).toBe(4)
})
