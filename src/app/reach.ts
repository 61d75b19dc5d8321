import { dialectTags } from '../dialects/dialects.ts'
import { dialectRoutes } from '../dialects/index.ts'
import { pluginSocket } from '../dialects/secret-echo/index.ts'
import { accountRoutes } from '../features/accounts/routes.ts'
import { createWebSessions } from '../features/accounts/web-sessions.ts'
import { artifactRoutes, previewRoutes } from '../features/artifacts/routes.ts'
import { billingRoutes } from '../features/billing/routes.ts'
import { paymentRoutes } from '../features/billing/routes-payments.ts'
import { webhookRoutes } from '../features/billing/routes-webhooks.ts'
import { conversationRoutes } from '../features/conversations/routes.ts'
import { exportRoutes } from '../features/conversations/routes-export.ts'
import { generationRoutes } from '../features/generations/routes.ts'
import { modelRoutes } from '../features/generations/routes-models.ts'
import { serveGenerationsOnSocketIo } from '../features/generations/routes-socketio.ts'
import { generationSocket } from '../features/generations/routes-websocket.ts'
import { keyRoutes } from '../features/keys/routes.ts'
import { libraryRoutes } from '../features/library/routes.ts'
import { contentRoutes } from '../features/library/routes-jobs.ts'
import { serveLibraryOnSocketIo } from '../features/library/routes-socketio.ts'
import { pluginRoutes } from '../features/plugins/routes.ts'
import { fileRoutes } from '../platform/files/routes.ts'
import { sandboxRoutes } from '../platform/payments/sandbox/routes.ts'
import { openConsole } from '../transport/console.ts'
import { ok } from '../transport/envelope.ts'
import { createHandshakes } from '../transport/handshakes.ts'
import { healthRoutes } from '../transport/health.ts'
import { countAsked, limitRequests } from '../transport/limits.ts'
import { collectOpenApi, serveOpenApi } from '../transport/openapi.ts'
import { createServer, keepAnswersPrivate, type Server } from '../transport/server.ts'
import { createSocketIo } from '../transport/socketio.ts'
import { createTickets, ticketRoutes } from '../transport/tickets.ts'
import { createUpgrades } from '../transport/upgrades.ts'
import { createWebSockets } from '../transport/websocket.ts'
import type { Features } from './features.ts'
import type { AppOptions } from './options.ts'
import type { Platform } from './stand.ts'

/** How the world reaches us. */
export async function reach(platform: Platform, features: Features, { config, logger }: AppOptions) {
  const { accounts, billing, keys, generations, artifacts, conversations, plugins } = features
  const { models, vendor, disk, database, cache, address } = platform
  const web = createWebSessions(accounts, {
    isSecure: config.publicUrl?.startsWith('https:') ?? false,
    isCrossSite: config.corsOrigins.length > 0,
    maxAgeSeconds: 7 * 24 * 3600,
  })
  const console = await openConsole(platform.consoleDirectory, config.previews.origin)
  const server = await createServer({
    logger,
    authenticator: web.authenticator,
    corsOrigins: config.corsOrigins,
    trustProxy: config.trustProxy,
    previewOrigin: config.previews.origin,
    fallback: console.fallback,
  })
  const { windowMs, maxRequests } = config.rateLimit
  const requests = cache.limiter({ name: 'requests', points: maxRequests, windowMs })
  const tickets = createTickets({ cache, recognise: accounts.recognise })
  await collectOpenApi(server, [...tags, ...dialectTags])
  await openSockets(server, { platform, features, config, logger, tickets, admitStart: countAsked(requests) })
  await server.register(healthRoutes(version, { database: database.ping }))
  await server.register(
    async api => {
      api.get('/', { config: { auth: 'none' }, schema: { hide: true } }, async () =>
        ok({ name: 'Atelier', version, documentation: '/docs', openapi: '/openapi.json' }),
      )
      keepAnswersPrivate(api)
      limitRequests(api, requests)
      await api.register(accountRoutes(accounts, web))
      await api.register(billingRoutes(billing, accounts))
      await api.register(paymentRoutes(features.buying))
      await api.register(ticketRoutes(tickets))
      await api.register(keyRoutes(keys))
      await api.register(modelRoutes(models, keys))
      await api.register(generationRoutes(generations))
      await api.register(conversationRoutes(conversations))
      await api.register(pluginRoutes(plugins, generations))
      await api.register(exportRoutes(conversations))
      await api.register(artifactRoutes(artifacts, generations))
      await api.register(contentRoutes(features.library))
      await api.register(libraryRoutes(features.library))
    },
    { prefix: '/api/v1' },
  )
  const { singleTokenLifetimeSeconds, isProduction, secretEchoHistory } = config
  const settings = { isProduction, singleTokenLifetimeSeconds, secretEchoHistory }
  const reporting = { report: (err: unknown) => logger.error({ err }, 'a dialect met a bug') }
  const links = { linkKey: platform.secrets.links, publicUrl: () => address.url }
  const payInSandbox = sandboxPayer(platform)
  const parts = { ...features, ...reporting, ...links, web, settings, payInSandbox }
  await server.register(dialectRoutes(parts, requests))
  await server.register(
    previewRoutes(artifacts, { vendorDirectory: vendor.directory, publicUrl: () => address.url }),
  )
  await server.register(webhookRoutes(features.buying), { prefix: '/api/v1' })
  if (platform.sandbox) await server.register(sandboxRoutes(platform.sandbox))
  if (disk) await server.register(fileRoutes(disk))
  await serveOpenApi(server)
  await server.register(console.routes)
  await server.ready()
  return server
}

/** How clients of a published API that never show a checkout pay in the sandbox: with a test card. */
function sandboxPayer({ sandbox }: Platform) {
  if (!sandbox) return null
  return async (sessionId: string) =>
    void (await sandbox.pay(sessionId, { number: '4242424242424242', expiry: '12/99', cvc: '123' }))
}

interface SocketParts extends Pick<AppOptions, 'config' | 'logger'> {
  platform: Platform
  features: Features
  tickets: ReturnType<typeof createTickets>
  admitStart: ReturnType<typeof countAsked>
}

/** The wires that stay open: the raw socket at /api/v1/socket, and Socket.IO. */
async function openSockets(
  server: Server,
  { platform, features, config, logger, ...parts }: SocketParts,
): Promise<void> {
  const { generations, accounts } = features
  const { authenticate, watchSession } = accounts
  const { corsOrigins, previews } = config
  const rules = { publicUrl: () => platform.address.url, corsOrigins, previewOrigin: previews.origin }
  const upgrades = createUpgrades(server, rules)
  const handshakes = createHandshakes({ authenticate, watchSession, tickets: parts.tickets })
  const report = (err: unknown) => logger.error({ err }, 'a socket met a bug')
  const wire = { generations, report, admitStart: parts.admitStart }
  const raw = { ...wire, handshakes, webSockets: createWebSockets(upgrades) }
  upgrades.route('/api/v1/socket', generationSocket(raw))
  upgrades.route('/plugin_generator', pluginSocket({ ...raw, plugins: features.plugins }))
  const adapter = await fanOutOf(platform)
  const socketIo = createSocketIo(server, { upgrades, handshakes, ...adapter })
  serveGenerationsOnSocketIo({ ...wire, socketIo })
  serveLibraryOnSocketIo({ library: features.library, socketIo })
}

/** How Socket.IO reaches clients of other processes; its library is loaded only where there may be some. */
async function fanOutOf({ fanOut }: Platform) {
  if (!fanOut) return {}
  const { createAdapter } = await import('@socket.io/redis-streams-adapter')
  return { adapter: createAdapter(fanOut, { streamName: 'atelier:socket.io', maxLen: 2000 }) }
}

/** Version of the product, as told by /health. */
const version = '0.1.0'

const tags = [
  { name: 'Accounts', description: 'Signing up, and the account itself.' },
  { name: 'Sessions', description: 'Signing in and out, on each device.' },
  { name: 'Codes', description: 'One-time codes by mail or SMS, and what they are exchanged for.' },
  { name: 'Passwords', description: 'Changing a password, and getting in again without it.' },
  { name: 'Billing', description: 'Plans, credits, and what was used.' },
  { name: 'Administration', description: 'For administrators.' },
  { name: 'Keys', description: "People's own keys for model providers." },
  { name: 'Generations', description: 'Asking a model, and following its answer.' },
  { name: 'Conversations', description: 'Questions and answers in their order.' },
  { name: 'Plugins', description: 'WooCommerce plugins: talked about, checked, finished, packed.' },
  { name: 'Artifacts', description: 'Code that answers contain: files, builds, previews.' },
  { name: 'Content', description: 'Jobs that write: articles, descriptions, captions, e-mails.' },
  { name: 'Library', description: 'Written content that was kept.' },
  { name: 'Health', description: 'For those who watch the server.' },
]
