import { join, resolve } from 'node:path'
import { createAdapter } from '@socket.io/redis-streams-adapter'
import type { Logger } from 'pino'
import type { Config } from './config.ts'
import { createAccounts } from './features/accounts/index.ts'
import { accountRoutes } from './features/accounts/routes.ts'
import { createWebSessions } from './features/accounts/web-sessions.ts'
import { createArtifacts } from './features/artifacts/index.ts'
import { artifactRoutes, previewRoutes } from './features/artifacts/routes.ts'
import { createConversations } from './features/conversations/index.ts'
import { conversationRoutes } from './features/conversations/routes.ts'
import { createGenerations } from './features/generations/index.ts'
import { workGenerations } from './features/generations/jobs.ts'
import { generationRoutes } from './features/generations/routes.ts'
import { modelRoutes } from './features/generations/routes-models.ts'
import { serveGenerationsOnSocketIo } from './features/generations/routes-socketio.ts'
import { generationSocket } from './features/generations/routes-websocket.ts'
import { createEsbuildBundler } from './platform/bundler/esbuild.ts'
import { ensureVendor, vendorDirectory } from './platform/bundler/vendor.ts'
import type { Cache } from './platform/cache/index.ts'
import { createMemoryCache } from './platform/cache/memory.ts'
import { createRedisCache } from './platform/cache/redis.ts'
import { startEmbedded } from './platform/database/embedded.ts'
import { openDatabase } from './platform/database/index.ts'
import { migrate } from './platform/database/migrate.ts'
import { createMemoryEventLogs } from './platform/events/memory.ts'
import { createRedisEventLogs } from './platform/events/redis.ts'
import { openDiskFiles } from './platform/files/disk.ts'
import { fileRoutes } from './platform/files/routes.ts'
import { createConsoleMail } from './platform/mail/console.ts'
import { createSmtpMail } from './platform/mail/smtp.ts'
import { createModels } from './platform/models/catalogue.ts'
import { createPostgresQueue } from './platform/queue/postgres.ts'
import { createRedisQueue } from './platform/queue/redis.ts'
import { createRedis } from './platform/redis/index.ts'
import { loadSecrets } from './platform/secrets/index.ts'
import { createConsoleSms } from './platform/sms/console.ts'
import { createWebhookSms } from './platform/sms/webhook.ts'
import { openConsole } from './transport/console.ts'
import { ok } from './transport/envelope.ts'
import { createHandshakes } from './transport/handshakes.ts'
import { healthRoutes } from './transport/health.ts'
import { countAsked, limitRequests } from './transport/limits.ts'
import { collectOpenApi, serveOpenApi } from './transport/openapi.ts'
import { createServer, keepAnswersPrivate, type Server } from './transport/server.ts'
import { createSocketIo } from './transport/socketio.ts'
import { createTickets, ticketRoutes } from './transport/tickets.ts'
import { createUpgrades } from './transport/upgrades.ts'
import { createWebSockets } from './transport/websocket.ts'

export interface AppOptions {
  config: Config
  logger: Logger
  /** Resolves with the folder of the built console; null serves none. */
  built: Promise<string | null>
  /** Ends the building of the app early; what was opened is closed, and its reason is thrown. */
  signal?: AbortSignal
}

export type App = Awaited<ReturnType<typeof createApp>>

/** Keeps a part until the app closes; what was opened last is closed first. */
type Hold = <Part extends { close(): Promise<void> }>(part: Part) => Part

/** Builds the whole server from its configuration: what we stand on, what we do, how the world reaches us. */
export async function createApp(options: AppOptions) {
  const { config } = options
  const stack = new AsyncDisposableStack()
  const hold: Hold = part => {
    stack.defer(() => patiently(part.close(), options.logger))
    return part
  }
  try {
    const platform = await standOn(options, hold)
    const features = await createFeatures(platform, options, hold)
    const server = await reach(platform, features, options)
    options.signal?.throwIfAborted()
    stack.defer(() => patiently(server.close(), options.logger))
    // The last things opened are the first to close: running answers may end while their readers are still connected.
    stack.defer(() => patiently(features.generations.close(), options.logger, drainMsOf(config)))
    const opened = stack.move()
    const { address, dataDir, models, database } = platform
    return {
      ...features,
      server,
      db: database.db,
      dataDir,
      get url() {
        return address.url
      },
      modelLine: models.defaultModel.label,
      /** Begins to answer; with port 0 the address is known afterwards. */
      async listen(): Promise<string> {
        const bound = await server.listen({ port: config.port, host: config.host })
        if (!config.publicUrl) address.url = `http://localhost:${new URL(bound).port}`
        return address.url
      },
      /** Begins to do queued work; the worker is closed before everything else. */
      async work(): Promise<void> {
        const worker = await workGenerations(features.generations, platform.queue, {
          concurrency: config.workerConcurrency,
          limiters: providerLimiters(platform.cache, config),
        })
        const drainMs = drainMsOf(config)
        opened.defer(() => patiently(worker.close({ drainMs }), options.logger, drainMs))
      },
      close: () => opened.disposeAsync(),
      [Symbol.asyncDispose]: () => opened.disposeAsync(),
    }
  } catch (error) {
    await stack.disposeAsync()
    throw error
  }
}

type Platform = Awaited<ReturnType<typeof standOn>>
type Features = Awaited<ReturnType<typeof createFeatures>>

/** What we stand on. */
async function standOn({ config, logger, built, signal }: AppOptions, hold: Hold) {
  const dataDir = resolve(config.dataDir)
  const address = { url: config.publicUrl ?? `http://localhost:${config.port}` }
  const secrets = await loadSecrets(dataDir, { jwt: config.jwtSecret })
  const source = config.databaseUrl ?? hold(await startEmbedded({ dataDir, logger })).connection
  for (const name of await migrate({ source })) logger.info({ name }, 'migrated')
  const database = hold(openDatabase({ source, maxConnections: 20 }))
  const { redisUrl } = config
  const report = (err: unknown) => logger.warn({ err }, 'Redis is away')
  const cache = hold(redisUrl ? createRedisCache({ url: redisUrl, report }) : createMemoryCache())
  const events = hold(redisUrl ? createRedisEventLogs({ url: redisUrl, report }) : createMemoryEventLogs())
  const queueOptions = { name: 'generations', log: logger }
  const queue = hold(
    redisUrl
      ? await createRedisQueue({ ...queueOptions, url: redisUrl })
      : await createPostgresQueue({ ...queueOptions, source }),
  )
  const fanOut = redisUrl ? createRedis({ url: redisUrl, name: 'socket.io', temper: 'patient' }) : null
  hold({ close: async () => fanOut?.disconnect() })
  const disk = { root: join(dataDir, 'files'), key: secrets.links, publicUrl: () => address.url }
  const files = hold(await openDiskFiles(disk))
  const models = hold(createModels({ settings: config.models, isProduction: config.isProduction }))
  const consoleDirectory = await (signal ? Promise.race([built, thrownBy(signal)]) : built)
  const vendor = await ensureVendor(vendorDirectory, join(dataDir, 'vendor'))
  const bundler = hold(createEsbuildBundler({ vendor }))
  return {
    dataDir,
    address,
    secrets,
    database,
    cache,
    events,
    queue,
    files,
    models,
    vendor,
    bundler,
    fanOut,
    consoleDirectory,
  }
}

/** What we do. */
async function createFeatures(platform: Platform, { config, logger }: AppOptions, hold: Hold) {
  const { database, cache, events, queue, files, models, bundler, secrets, address } = platform
  const { db } = database
  // Codes that nobody delivers must be found in the log, whatever else is logged.
  const print = (text: string) => logger.warn(text)
  const { host, port, user, password, from } = config.smtp
  const mail = hold(host ? createSmtpMail({ host, port, user, password, from }) : createConsoleMail(print))
  const sms = hold(
    config.smsWebhookUrl ? createWebhookSms({ url: config.smsWebhookUrl }) : createConsoleSms(print),
  )
  const accounts = hold(
    createAccounts({
      db,
      cache,
      mail,
      sms,
      secrets: [secrets.jwt, ...config.retiredJwtSecrets],
      accessLifetimeSeconds: config.accessLifetimeSeconds,
      limits: config.signInLimits,
      settings: accountSettings(config, address),
      report: (error, what) => logger.error({ err: error }, what),
    }),
  )
  const generations = createGenerations({
    db,
    models,
    events,
    queue,
    cache,
    deadlines: config.models,
    log: logger,
    drainMs: drainMsOf(config),
  })
  const artifacts = createArtifacts({ db, files, bundler, previewKey: `preview:${secrets.links}` })
  generations.observe(artifacts.observer)
  generations.onRescued(({ text, ...run }) => artifacts.keep(run, text))
  const conversations = createConversations({ db, generations, artifacts })
  accounts.onErase('artifacts', async id => void (await artifacts.removeAccount(id)))
  accounts.onErase('generations', generations.cancelAll)
  accounts.onStatistics(conversations.statistics)
  hold(hourly(logger, [accounts.tidy, artifacts.sweep]))
  const recovered = await generations.recover()
  if (recovered > 0)
    logger.warn({ count: recovered }, 'looked after answers of a server that stopped suddenly')
  return { accounts, generations, artifacts, conversations }
}

/** How the world reaches us. */
async function reach(platform: Platform, features: Features, { config, logger }: AppOptions) {
  const { accounts, generations, artifacts, conversations } = features
  const { models, vendor, files, database, cache, address } = platform
  const web = createWebSessions(accounts, {
    isSecure: config.publicUrl?.startsWith('https:') ?? false,
    maxAgeSeconds: 7 * 24 * 3600,
  })
  const console = await openConsole(platform.consoleDirectory)
  const server = await createServer({
    logger,
    authenticator: web.authenticator,
    corsOrigins: config.corsOrigins,
    trustProxy: config.trustProxy,
    fallback: console.fallback,
  })
  const { windowMs, maxRequests } = config.rateLimit
  const requests = cache.limiter({ name: 'requests', points: maxRequests, windowMs })
  const tickets = createTickets({ cache, recognise: accounts.recognise })
  await collectOpenApi(server, tags)
  openSockets(server, { platform, features, config, logger, tickets, admitStart: countAsked(requests) })
  await server.register(healthRoutes(version, { database: database.ping }))
  await server.register(
    async api => {
      api.get('/', { config: { auth: 'none' }, schema: { hide: true } }, async () =>
        ok({ name: 'Atelier', version, documentation: '/docs', openapi: '/openapi.json' }),
      )
      keepAnswersPrivate(api)
      limitRequests(api, requests)
      await api.register(accountRoutes(accounts, web))
      await api.register(ticketRoutes(tickets))
      await api.register(modelRoutes(models))
      await api.register(generationRoutes(generations))
      await api.register(conversationRoutes(conversations))
      await api.register(artifactRoutes(artifacts))
    },
    { prefix: '/api/v1' },
  )
  await server.register(
    previewRoutes(artifacts, { vendorDirectory: vendor.directory, publicUrl: () => address.url }),
  )
  await server.register(fileRoutes(files))
  await serveOpenApi(server)
  await server.register(console.routes)
  await server.ready()
  return server
}

interface SocketParts extends Pick<AppOptions, 'config' | 'logger'> {
  platform: Platform
  features: Features
  tickets: ReturnType<typeof createTickets>
  admitStart: ReturnType<typeof countAsked>
}

/** The wires that stay open: the raw socket at /api/v1/socket, and Socket.IO. */
function openSockets(server: Server, { platform, features, config, logger, ...parts }: SocketParts): void {
  const { generations, accounts } = features
  const { authenticate, watchSession } = accounts
  const { corsOrigins } = config
  const upgrades = createUpgrades(server, { publicUrl: () => platform.address.url, corsOrigins })
  const handshakes = createHandshakes({ authenticate, watchSession, tickets: parts.tickets })
  const report = (err: unknown) => logger.error({ err }, 'a socket met a bug')
  const wire = { generations, report, admitStart: parts.admitStart }
  upgrades.route(
    '/api/v1/socket',
    generationSocket({ ...wire, handshakes, webSockets: createWebSockets(upgrades) }),
  )
  const { fanOut } = platform
  const adapter = fanOut
    ? { adapter: createAdapter(fanOut, { streamName: 'atelier:socket.io', maxLen: 2000 }) }
    : {}
  serveGenerationsOnSocketIo({
    ...wire,
    socketIo: createSocketIo(server, { upgrades, handshakes, ...adapter }),
  })
}

/** Version of the product, as told by /health. */
const version = '0.1.0'

const tags = [
  { name: 'Accounts', description: 'Signing up, and the account itself.' },
  { name: 'Sessions', description: 'Signing in and out, on each device.' },
  { name: 'Codes', description: 'One-time codes by mail or SMS, and what they are exchanged for.' },
  { name: 'Passwords', description: 'Changing a password, and getting in again without it.' },
  { name: 'Administration', description: 'For administrators.' },
  { name: 'Generations', description: 'Asking a model, and following its answer.' },
  { name: 'Conversations', description: 'Questions and answers in their order.' },
  { name: 'Artifacts', description: 'Code that answers contain: files, builds, previews.' },
  { name: 'Health', description: 'For those who watch the server.' },
]

function accountSettings(config: Config, address: { url: string }) {
  return {
    get publicUrl() {
      return address.url
    },
    signupVerification: config.signupVerification,
    refuseCommonPasswords: config.isProduction,
    echoCodes: config.otpEcho,
  }
}

const closingMs = 5000

/** Waits for a part to close, but not for ever: one that waits for a store that is gone must not keep the others open. */
async function patiently(closing: PromiseLike<unknown>, logger: Logger, drainMs = 0): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<void>(resolve => {
    timer = setTimeout(() => {
      logger.warn('a part did not close in time and is left behind')
      resolve()
    }, closingMs + drainMs)
  })
  await Promise.race([closing, late]).finally(() => clearTimeout(timer))
}

/** Rejects with the signal's reason when it is aborted. */
function thrownBy(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    if (signal.aborted) reject(signal.reason)
    else signal.addEventListener('abort', () => reject(signal.reason), { once: true })
  })
}

/** Does at the start and then every hour what time makes necessary; what fails is done the next time. */
function hourly(logger: Logger, tasks: readonly (() => Promise<unknown>)[]) {
  const tidy = async () => {
    for (const task of tasks) await task().catch((err: unknown) => logger.warn({ err }, 'tidying up failed'))
  }
  let current = tidy()
  const timer = setInterval(() => {
    current = current.then(tidy)
  }, 3_600_000)
  timer.unref()
  return {
    async close() {
      clearInterval(timer)
      await current
    },
  }
}

/** How long running answers may go on when the server stops, in milliseconds. */
function drainMsOf(config: Config): number {
  return config.isProduction ? 25_000 : 2000
}

function providerLimiters(cache: Cache, config: Config) {
  const points = config.providerJobsPerMinute
  return { openrouter: cache.limiter({ name: 'provider:openrouter', points, windowMs: 60_000 }) }
}
