import { join, resolve } from 'node:path'
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
import { generationRoutes } from './features/generations/routes.ts'
import { modelRoutes } from './features/generations/routes-models.ts'
import { createEsbuildBundler } from './platform/bundler/esbuild.ts'
import { ensureVendor } from './platform/bundler/vendor.ts'
import { createMemoryCache } from './platform/cache/memory.ts'
import { startEmbedded } from './platform/database/embedded.ts'
import { openDatabase } from './platform/database/index.ts'
import { migrate } from './platform/database/migrate.ts'
import { createMemoryEventLogs } from './platform/events/memory.ts'
import { openDiskFiles } from './platform/files/disk.ts'
import { fileRoutes } from './platform/files/routes.ts'
import { createConsoleMail } from './platform/mail/console.ts'
import { createModels } from './platform/models/catalogue.ts'
import { loadSecrets } from './platform/secrets/index.ts'
import { createConsoleSms } from './platform/sms/console.ts'
import { openConsole } from './transport/console.ts'
import { healthRoutes } from './transport/health.ts'
import { collectOpenApi, serveOpenApi } from './transport/openapi.ts'
import { createServer } from './transport/server.ts'

export interface AppOptions {
  config: Config
  logger: Logger
  /** Resolves when the console and the vendor bundle are built; the console is served after that. */
  built: Promise<void>
  consoleDirectory: string
}

export type App = Awaited<ReturnType<typeof createApp>>

/** Builds the whole server from its configuration: what we stand on, what we do, how the world reaches us. */
export async function createApp({ config, logger, built, consoleDirectory }: AppOptions) {
  const stack = new AsyncDisposableStack()
  const held = <Part extends { close(): Promise<void> }>(part: Part): Part => {
    stack.defer(() => part.close())
    return part
  }
  try {
    // What we stand on
    const dataDir = resolve(config.dataDir)
    const address = { url: config.publicUrl ?? `http://localhost:${config.port}` }
    const secrets = await loadSecrets(dataDir, { jwt: config.jwtSecret, encryption: config.encryptionKey })
    const source = config.databaseUrl ?? held(await startEmbedded({ dataDir, logger })).connection
    for (const name of await migrate({ source })) logger.info({ name }, 'migrated')
    const database = held(openDatabase({ source, maxConnections: 20 }))
    const { db } = database
    const cache = held(createMemoryCache())
    const events = held(createMemoryEventLogs())
    const files = held(
      await openDiskFiles({ root: join(dataDir, 'files'), key: secrets.links, publicUrl: () => address.url }),
    )
    const models = held(createModels({ settings: config.models, isProduction: config.isProduction }))
    const print = (text: string) => logger.info(text)
    const mail = held(createConsoleMail(print))
    const sms = held(createConsoleSms(print))
    await built
    const vendor = await ensureVendor()
    const bundler = held(createEsbuildBundler({ vendor }))

    // What we do
    const accounts = held(
      createAccounts({
        db,
        cache,
        mail,
        sms,
        secrets: [secrets.jwt],
        accessLifetimeSeconds: 15 * 60,
        settings: accountSettings(config, address),
        report: (error, what) => logger.error({ err: error }, what),
      }),
    )
    const generations = createGenerations({
      db,
      models,
      events,
      deadlines: config.models,
      log: logger,
      drainMs: config.isProduction ? 25_000 : 2000,
    })
    const artifacts = createArtifacts({ db, files, bundler, previewKey: `preview:${secrets.links}` })
    generations.observe(artifacts.observer)
    const conversations = createConversations({ db, generations, artifacts })
    const recovered = await generations.recover()
    if (recovered > 0)
      logger.warn({ count: recovered }, 'interrupted answers of a server that stopped suddenly')

    // How the world reaches us
    const cookies = { isSecure: config.isProduction, maxAgeSeconds: 7 * 24 * 3600 }
    const web = createWebSessions(accounts, cookies)
    const console = await openConsole(consoleDirectory)
    const server = await createServer({
      logger,
      authenticator: web.authenticator,
      corsOrigins: config.corsOrigins,
      trustProxy: config.trustProxy,
      fallback: console.fallback,
    })
    stack.defer(() => server.close())
    await collectOpenApi(server, tags)
    await server.register(healthRoutes(version, { database: database.ping }))
    await server.register(
      async api => {
        await api.register(accountRoutes(accounts, web))
        await api.register(modelRoutes(models))
        await api.register(generationRoutes(generations))
        await api.register(conversationRoutes(conversations))
        await api.register(artifactRoutes(artifacts))
      },
      { prefix: '/api/v1' },
    )
    await server.register(previewRoutes(artifacts, { vendorDirectory: vendor.directory }))
    await server.register(fileRoutes(files))
    await serveOpenApi(server)
    await server.register(console.routes)
    await server.ready()

    // The last thing opened is the first to close: running answers may end while their readers are still connected.
    stack.defer(() => generations.close())
    const opened = stack.move()
    return {
      server,
      accounts,
      generations,
      conversations,
      artifacts,
      db,
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
      close: () => opened.disposeAsync(),
    }
  } catch (error) {
    await stack.disposeAsync()
    throw error
  }
}

/** Version of the product, as told by /health. */
const version = '0.1.0'

const tags = [
  { name: 'Accounts', description: 'Signing up, and the account itself.' },
  { name: 'Sessions', description: 'Signing in and out, on each device.' },
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
