import { pino } from 'pino'
import { createBilling } from '../../src/features/billing/index.ts'
import { createGenerations, type Generations, type Recipe } from '../../src/features/generations/index.ts'
import { workGenerations } from '../../src/features/generations/jobs.ts'
import { createKeys, type Keys } from '../../src/features/keys/index.ts'
import { createMemoryCache } from '../../src/platform/cache/memory.ts'
import { createMemoryEventLogs } from '../../src/platform/events/memory.ts'
import { createModels } from '../../src/platform/models/catalogue.ts'
import type { Queue } from '../../src/platform/queue/index.ts'
import { createPostgresQueue } from '../../src/platform/queue/postgres.ts'
import type { ScriptedProvider } from '../provider/index.ts'
import type { TestDatabase } from './database.ts'

export interface EngineOptions {
  /** Milliseconds between the sandbox model's words. */
  delayMs?: number
  drainMs?: number
  /** Answers instead of the sandbox model, as `openai/<script>`. */
  provider?: ScriptedProvider
  deadlines?: { firstTokenTimeoutMs: number; silenceTimeoutMs: number; totalTimeoutMs: number }
  /** Also does queued work, with so many jobs at once. */
  workers?: number
}

export interface TestEngine extends AsyncDisposable {
  generations: Generations
  keys: Keys
  queue: Queue
}

const recipe: Recipe = {
  conversationKind: 'chat',
  title: message => message.slice(0, 20),
  prompt: async () => ({ messages: [{ role: 'user', content: 'Write a paragraph about the sea' }] }),
}

/** The engine as one process has it: real database, queue and models. */
export async function openEngine(database: TestDatabase, options: EngineOptions = {}): Promise<TestEngine> {
  const { delayMs = 0, drainMs = 50, provider, workers = 0 } = options
  const log = pino({ level: 'silent' })
  const cache = createMemoryCache()
  const events = createMemoryEventLogs()
  const timing = { lockMs: 2000, stalledCheckMs: 500, backoffMs: 50 }
  const queue = await createPostgresQueue({ source: database.url, name: 'generations', log, timing })
  const models = createModels({
    settings: {
      gemini: { baseUrl: 'https://generativelanguage.googleapis.com' },
      openrouter: { baseUrl: 'https://openrouter.ai/api/v1' },
      openai: provider
        ? { baseUrl: provider.baseUrls.openai, apiKey: 'a-key-of-nobody' }
        : { baseUrl: 'https://api.openai.com/v1' },
      anthropic: provider
        ? { baseUrl: provider.baseUrls.anthropic, apiKey: 'a-key-of-nobody' }
        : { baseUrl: 'https://api.anthropic.com' },
      defaultModel: provider ? 'openai/ok' : undefined,
      allowAnyModel: true,
      sandboxDelayMs: delayMs,
    },
    allowPrivateAddresses: true,
  })
  const dailyLimits = { basic: 1_000_000, pro: 1_000_000 }
  const billing = createBilling({ db: database.db, dailyLimits, signupCredits: 0 })
  const keys = createKeys({
    db: database.db,
    cache,
    models,
    accounts: { noteSecurityEvent: async () => {} },
    secrets: ['a secret of nobody, longer than thirty-two'],
    creationsPerHour: 1_000_000,
    report: () => {},
  })
  const generations = createGenerations({
    db: database.db,
    billing,
    keys,
    cache,
    queue,
    models,
    events,
    deadlines: options.deadlines ?? {
      firstTokenTimeoutMs: 5000,
      silenceTimeoutMs: 5000,
      totalTimeoutMs: 60_000,
    },
    log,
    drainMs,
  })
  generations.define('chat', recipe)
  const worker =
    workers > 0 ? await workGenerations(generations, queue, { concurrency: workers, limiters: {} }) : null
  return {
    generations,
    keys,
    queue,
    async [Symbol.asyncDispose]() {
      await worker?.close({ drainMs })
      await generations.close()
      await keys.close()
      await queue.close()
      await events.close()
      await models.close()
      await cache.close()
    },
  }
}
