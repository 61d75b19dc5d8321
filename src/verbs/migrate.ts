import { resolve } from 'node:path'
import type { Config } from '../config.ts'
import { startEmbedded } from '../platform/database/embedded.ts'
import { migrate as migrateSource } from '../platform/database/migrate.ts'

/** Brings the schema up to date without serving. */
export async function migrate(config: Config): Promise<void> {
  await using embedded = config.databaseUrl ? null : await disposable(resolve(config.dataDir))
  const source = config.databaseUrl ?? embedded?.connection
  if (!source) return
  const names = await migrateSource({ source })
  process.stdout.write(names.length > 0 ? `applied ${names.join(', ')}\n` : 'the schema is up to date\n')
}

async function disposable(dataDir: string) {
  const embedded = await startEmbedded({ dataDir })
  return { connection: embedded.connection, [Symbol.asyncDispose]: () => embedded.close() }
}
