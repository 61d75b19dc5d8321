import type { Logger } from 'pino'
import { codingAgent } from '../dialects/coding-agent/index.ts'
import { microCreditsPerCredit } from '../features/billing/index.ts'
import type { Server } from '../transport/server.ts'
import type { Features } from './features.ts'
import type { Platform } from './stand.ts'

/** The published APIs at their paths, on top of the same features. */
export async function speakDialects(
  server: Server,
  { features, platform, logger }: { features: Features; platform: Platform; logger: Logger },
): Promise<void> {
  const { billing } = features
  const { address, secrets } = platform
  const report = (err: unknown) => logger.error({ err }, 'a dialect met a bug')
  const creditsOf = async (accountId: string) =>
    Math.floor((await billing.balance(accountId)) / microCreditsPerCredit)
  const linkKey = `coding-agent:${secrets.links}`
  const common = { ...features, publicUrl: () => address.url, report, creditsOf }
  await server.register(codingAgent({ ...common, linkKey }), { prefix: '/api' })
}
