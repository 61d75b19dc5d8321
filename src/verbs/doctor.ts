import { access, constants } from 'node:fs/promises'
import { connect } from 'node:net'
import { resolve } from 'node:path'
import type { Config } from '../config.ts'
import { createCatalogue } from '../features/billing/plans.ts'
import { examineDatabase } from '../platform/database/examine.ts'
import { createModels } from '../platform/models/catalogue.ts'

/** One line of the report: fine, worth knowing, or in the way of a start. */
interface Finding {
  mark: 'ok' | '--' | '!!'
  what: string
  text: string
}

/** Says what is configured, what is reachable and what is missing. Exit code 1 when something is in the way. */
export async function doctor(config: Config): Promise<void> {
  const findings = [
    { mark: 'ok', what: 'Node', text: process.version } as const,
    await dataFolder(config),
    ...(await database(config)),
    await redis(config),
    await files(config),
    ...(await models(config)),
    await mail(config),
    plans(config),
    ...optionalParts(config),
  ]
  for (const { mark, what, text } of findings) process.stdout.write(`${mark}  ${what.padEnd(12)} ${text}\n`)
  if (findings.some(finding => finding.mark === '!!')) process.exitCode = 1
}

async function dataFolder(config: Config): Promise<Finding> {
  const path = resolve(config.dataDir)
  try {
    await access(path, constants.W_OK)
    return { mark: 'ok', what: 'Data', text: path }
  } catch (error) {
    const isAbsent = (error as NodeJS.ErrnoException).code === 'ENOENT'
    return isAbsent
      ? { mark: '--', what: 'Data', text: `${path} does not exist yet: the first start makes it` }
      : { mark: '!!', what: 'Data', text: `${path} cannot be written: set DATA_DIR to a folder that can` }
  }
}

async function database(config: Config): Promise<Finding[]> {
  const report = await examineDatabase({ databaseUrl: config.databaseUrl, dataDir: resolve(config.dataDir) })
  const name = report.kind === 'embedded' ? 'embedded Postgres' : 'DATABASE_URL'
  if (report.problem) {
    const isNew = report.problem.startsWith('not made yet')
    return [
      { mark: isNew ? '--' : '!!', what: 'Database', text: `${name} ${report.where}: ${report.problem}` },
    ]
  }
  const isCurrent = report.pending.length === 0
  return [
    {
      mark: 'ok',
      what: 'Database',
      text: `${name} ${report.serverVersion} at ${report.where}, answers in ${report.latencyMs} ms`,
    },
    {
      mark: isCurrent ? 'ok' : '--',
      what: 'Schema',
      text: isCurrent
        ? `${report.applied.length} migrations applied`
        : `to apply at start: ${report.pending.join(', ')}`,
    },
  ]
}

async function redis(config: Config): Promise<Finding> {
  const { redisUrl } = config
  if (!redisUrl)
    return { mark: '--', what: 'Redis', text: 'not set: one machine needs none; set REDIS_URL for several' }
  const { host, hostname, port } = new URL(redisUrl)
  const isThere = await isListening(hostname, Number(port || 6379))
  return isThere
    ? { mark: 'ok', what: 'Redis', text: `${host} answers` }
    : { mark: '!!', what: 'Redis', text: `${host} does not answer: start it, or change REDIS_URL` }
}

async function files({ s3 }: Config): Promise<Finding> {
  if (!s3) return { mark: '--', what: 'Files', text: 'kept under DATA_DIR: set S3_BUCKET_NAME for a bucket' }
  const where = `${s3.bucket} at ${s3.endpoint ?? `Amazon S3, ${s3.region}`}`
  const { examineS3 } = await import('../platform/files/s3.ts')
  const problem = await examineS3(s3)
  return problem === null
    ? { mark: 'ok', what: 'Files', text: `bucket ${where}` }
    : { mark: '!!', what: 'Files', text: `bucket ${where}: ${problem}` }
}

const bases = ['gemini', 'openrouter', 'openai', 'anthropic'] as const

async function models(config: Config): Promise<Finding[]> {
  const catalogue = createModels({ settings: config.models, isProduction: config.isProduction })
  const offered = [...new Set(catalogue.list().map(model => model.provider))]
  const providers = bases.filter(name => offered.includes(name))
  if (providers.length === 0) {
    const text =
      'only the sandbox model: set GEMINI_API_KEY, OPENROUTER_API_KEY, OPENAI_API_KEY or ANTHROPIC_API_KEY'
    return [{ mark: '--', what: 'Models', text }]
  }
  const reached = await Promise.all(providers.map(name => provider(name, config.models[name].baseUrl)))
  return [...reached, { mark: 'ok', what: 'Default', text: catalogue.defaultModel.id }]
}

/** Whether something listens where a provider is said to be; a key is not tried. */
async function provider(name: string, baseUrl: string): Promise<Finding> {
  const { hostname, protocol, port } = new URL(baseUrl)
  const isThere = await isListening(hostname, Number(port || (protocol === 'https:' ? 443 : 80)))
  return isThere
    ? { mark: 'ok', what: 'Models', text: `${name} at ${baseUrl}` }
    : { mark: '!!', what: 'Models', text: `${name}: nothing answers at ${baseUrl}` }
}

async function mail(config: Config): Promise<Finding> {
  const { host, port } = config.smtp
  if (!host) return { mark: '--', what: 'Mail', text: 'printed in the log: set SMTP_HOST' }
  return (await isListening(host, port))
    ? { mark: 'ok', what: 'Mail', text: `SMTP at ${host}:${port}` }
    : { mark: '!!', what: 'Mail', text: `nothing answers at ${host}:${port}: check SMTP_HOST and SMTP_PORT` }
}

const patienceMs = 3000

function isListening(host: string, port: number): Promise<boolean> {
  return new Promise(resolve => {
    const socket = connect({ host: host.replace(/^\[|\]$/g, ''), port, timeout: patienceMs })
    const settle = (isThere: boolean) => {
      socket.destroy()
      resolve(isThere)
    }
    socket.once('connect', () => settle(true))
    socket.once('error', () => settle(false))
    socket.once('timeout', () => settle(false))
  })
}

function plans(config: Config): Finding {
  try {
    const names = createCatalogue(config.plans).plans.map(plan => plan.id)
    const from = config.plans.file ? ` (with ${config.plans.file.path})` : ''
    return { mark: 'ok', what: 'Plans', text: `${names.join(', ')}${from}` }
  } catch (error) {
    return { mark: '!!', what: 'Plans', text: (error as Error).message }
  }
}

function optionalParts(config: Config): Finding[] {
  const { smsWebhookUrl, publicUrl, port, previews } = config
  return [
    smsWebhookUrl
      ? { mark: 'ok', what: 'SMS', text: `webhook at ${new URL(smsWebhookUrl).host}` }
      : { mark: '--', what: 'SMS', text: 'printed in the log: set SMS_WEBHOOK_URL' },
    publicUrl
      ? { mark: 'ok', what: 'Public URL', text: publicUrl }
      : { mark: '--', what: 'Public URL', text: `http://localhost:${port}: set PUBLIC_URL` },
    previews.origin
      ? { mark: 'ok', what: 'Previews', text: `on ${previews.origin} alone; it must lead to this server` }
      : {
          mark: '--',
          what: 'Previews',
          text: 'on our own origin, in a sandbox: set PREVIEW_ORIGIN for another',
        },
    previews.cdn
      ? { mark: 'ok', what: 'Packages', text: `built in, others from ${previews.cdn}` }
      : { mark: '--', what: 'Packages', text: 'built in, others refused: set ARTIFACTS_CDN' },
  ]
}
