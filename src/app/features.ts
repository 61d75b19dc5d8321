import type { Logger } from 'pino'
import type { Config } from '../config.ts'
import { createAccounts } from '../features/accounts/index.ts'
import { createArtifacts } from '../features/artifacts/index.ts'
import { createBilling, createBillingPayments } from '../features/billing/index.ts'
import type { Catalogue } from '../features/billing/plans.ts'
import { createConversations } from '../features/conversations/index.ts'
import { createGenerations } from '../features/generations/index.ts'
import { createKeys } from '../features/keys/index.ts'
import { createLibrary } from '../features/library/index.ts'
import { createPlugins } from '../features/plugins/index.ts'
import { createConsoleMail } from '../platform/mail/console.ts'
import { createConsoleSms } from '../platform/sms/console.ts'
import { createWebhookSms } from '../platform/sms/webhook.ts'
import { type AppOptions, drainMsOf, type Hold } from './options.ts'
import type { Platform } from './stand.ts'

/** What we stand on, and what is for sale. */
type Ground = Platform & { catalogue: Catalogue }

/** What we do. */
export async function createFeatures(platform: Ground, { config, logger }: AppOptions, hold: Hold) {
  const { database, cache, events, queue, files, models, bundler, secrets, address, catalogue } = platform
  const { db } = database
  // Codes that nobody delivers must be found in the log, whatever else is logged.
  const print = (text: string) => logger.warn(text)
  const mail = hold((await openSmtp(config)) ?? createConsoleMail(print))
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
  const keys = hold(
    createKeys({
      db,
      cache,
      models,
      accounts,
      secrets: secrets.encryption,
      creationsPerHour: config.keysPerHour,
      report: (err, what) => logger.error({ err }, what),
    }),
  )
  const { dailyLimits, signupCredits } = catalogue
  const billing = createBilling({ db, dailyLimits, signupCredits, paysByKey: keys.pays })
  accounts.onBegin(billing.welcome)
  const buying = createBillingPayments({
    db,
    payments: platform.payments,
    accounts,
    catalogue,
    publicUrl: () => address.url,
    origins: config.corsOrigins,
    now: Date.now,
    report: (err, what) => logger.error({ err }, what),
    note: (what, facts) => logger.warn(facts, what),
  })
  accounts.onErase('payments', buying.removeAccount)
  const generations = createGenerations({
    db,
    billing,
    keys,
    models,
    events,
    queue,
    cache,
    deadlines: config.models,
    log: logger,
    drainMs: drainMsOf(config),
  })
  const { origin: previewOrigin, cdn } = config.previews
  const previewing = { previewKey: `preview:${secrets.links}`, previewOrigin, cdn }
  const artifacts = createArtifacts({ db, files, bundler, ...previewing })
  // Written content is prose, whatever fences stand in it.
  generations.observe(run => (run.kind === 'content' ? null : artifacts.observer(run)))
  generations.onRescued(({ text, ...run }) => artifacts.keep(run, text))
  const conversations = createConversations({ db, generations, artifacts })
  const library = hold(
    createLibrary({
      ...{ db, generations, cache, delayMs: config.contentDelayMs },
      report: (err, what) => logger.error({ err }, what),
    }),
  )
  accounts.onErase('artifacts', async id => void (await artifacts.removeAccount(id)))
  accounts.onErase('generations', generations.cancelAll)
  accounts.onBan(generations.cancelAll)
  const report = (err: unknown, what: string) => logger.warn({ err }, what)
  const plugins = hold(createPlugins({ db, generations, conversations, billing, report }))
  accounts.onStatistics(conversations.statistics)
  hold(hourly(logger, [accounts.tidy, artifacts.sweep, buying.tidy, library.tidy, plugins.tidy]))
  const recovered = await generations.recover()
  if (recovered > 0)
    logger.warn({ count: recovered }, 'looked after answers of a server that stopped suddenly')
  return { accounts, billing, buying, keys, generations, artifacts, conversations, plugins, library }
}

export type Features = Awaited<ReturnType<typeof createFeatures>>

/** The library is loaded only where there is a server for it. */
async function openSmtp({ smtp: { host, port, user, password, from } }: Config) {
  if (!host) return null
  const { createSmtpMail } = await import('../platform/mail/smtp.ts')
  return createSmtpMail({ host, port, user, password, from })
}

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
