import { enableCompileCache } from 'node:module'
import { join } from 'node:path'
import { type Config, ConfigError, loadConfig } from './config.ts'

// Node keeps what it made of our code (types stripped, compiled) for the next start, where it may write.
enableCompileCache(join(import.meta.dirname, '..', 'node_modules', '.cache', 'atelier'))

/** What each verb does; the code of a verb is loaded only when it is asked for. */
const verbs: Record<string, (config: Config, args: string[]) => Promise<void>> = {
  serve: async config => (await import('./verbs/serve.ts')).serve(config),
  worker: async config => (await import('./verbs/worker.ts')).worker(config),
  migrate: async config => (await import('./verbs/migrate.ts')).migrate(config),
  seed: async (config, args) => (await import('./verbs/seed.ts')).seed(config, args),
  doctor: async config => (await import('./verbs/doctor.ts')).doctor(config),
  admin: async (config, args) => (await import('./verbs/admin.ts')).admin(config, args),
  keys: async (config, args) => (await import('./verbs/keys.ts')).keys(config, args),
  build: async () => void (await (await import('./verbs/build.ts')).build()),
}

async function main(): Promise<void> {
  const [verb = 'serve', ...args] = process.argv.slice(2)
  if (['help', '--help', '-h'].includes(verb)) {
    process.stdout.write(
      `Usage: atelier [verb]. Verbs: ${Object.keys(verbs).join(', ')}; serve when none is given.\n`,
    )
    return
  }
  const run = Object.hasOwn(verbs, verb) ? verbs[verb] : undefined
  if (!run) throw new ConfigError(`There is no verb "${verb}". There are: ${Object.keys(verbs).join(', ')}`)
  try {
    process.loadEnvFile()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  }
  await run(loadConfig(process.env), args)
}

try {
  await main()
} catch (error) {
  const isKnown = error instanceof ConfigError || (error instanceof Error && error.name === 'AppError')
  process.stderr.write(
    `${isKnown ? (error as Error).message : error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
  )
  process.exitCode = 1
}
