import { access, constants } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { Config } from '../config.ts'
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
    ...models(config),
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

function models(config: Config): Finding[] {
  const catalogue = createModels({ settings: config.models, isProduction: config.isProduction })
  const providers = [...new Set(catalogue.list().map(model => model.provider))]
  const isSandbox = providers.every(provider => provider === 'sandbox')
  return [
    {
      mark: isSandbox ? '--' : 'ok',
      what: 'Models',
      text: isSandbox
        ? 'only the sandbox model: set GEMINI_API_KEY, OPENROUTER_API_KEY, OPENAI_API_KEY or ANTHROPIC_API_KEY'
        : `${providers.join(', ')}; default ${catalogue.defaultModel.id}`,
    },
  ]
}

function optionalParts(config: Config): Finding[] {
  const part = (what: string, isSet: boolean, set: string, unset: string): Finding => ({
    mark: isSet ? 'ok' : '--',
    what,
    text: isSet ? set : unset,
  })
  return [
    part(
      'Mail',
      config.smtp.host !== undefined,
      `SMTP at ${config.smtp.host}`,
      'printed in the log: set SMTP_HOST',
    ),
    part('SMS', config.smsWebhookUrl !== undefined, 'webhook', 'printed in the log: set SMS_WEBHOOK_URL'),
    part(
      'Public URL',
      config.publicUrl !== undefined,
      `${config.publicUrl}`,
      `http://localhost:${config.port}: set PUBLIC_URL`,
    ),
  ]
}
