import { lineOf, placeOf } from './connect.ts'
import { hasCluster } from './embedded/place.ts'
import { startEmbedded } from './embedded.ts'
import { openDatabase } from './index.ts'
import { readMigrationState } from './migrate.ts'
import type { DatabaseSource } from './pool.ts'

/** What `doctor` can say about the database. `problem` is one line for a person; without one all is well. */
export interface DatabaseReport {
  kind: 'embedded' | 'server'
  /** The folder of the cluster, or the URL without its password. */
  where: string
  problem: string | null
  serverVersion: string | null
  latencyMs: number | null
  applied: string[]
  pending: string[]
}

/** Looks at the configured database without changing it; an embedded one that does not run is started for the look. */
export async function examineDatabase(config: {
  databaseUrl: string | undefined
  dataDir: string
}): Promise<DatabaseReport> {
  const blank = { problem: null, serverVersion: null, latencyMs: null, applied: [], pending: [] }
  if (config.databaseUrl) {
    const report: DatabaseReport = { ...blank, kind: 'server', where: placeOf(config.databaseUrl) }
    return look(report, config.databaseUrl)
  }
  const report: DatabaseReport = { ...blank, kind: 'embedded', where: config.dataDir }
  if (!(await hasCluster(config.dataDir)))
    return { ...report, problem: 'not made yet: the first start makes it' }
  try {
    const embedded = await startEmbedded({ dataDir: config.dataDir })
    try {
      return await look({ ...report, where: embedded.cluster }, embedded.connection)
    } finally {
      await embedded.close()
    }
  } catch (error) {
    return { ...report, problem: lineOf(error) }
  }
}

async function look(report: DatabaseReport, source: DatabaseSource): Promise<DatabaseReport> {
  const database = openDatabase({
    source,
    maxConnections: 1,
    statementTimeoutMs: 3_000,
    connectTimeoutMs: 3_000,
  })
  try {
    const { rows } = await database.pool.query<{ version: string }>(
      `select current_setting('server_version') as version`,
    )
    const startedAt = performance.now()
    await database.ping()
    const latencyMs = Math.round((performance.now() - startedAt) * 100) / 100
    const state = await readMigrationState({ source })
    return { ...report, ...state, latencyMs, serverVersion: rows[0]?.version ?? null }
  } catch (error) {
    return { ...report, problem: lineOf(error) }
  } finally {
    await database.close()
  }
}
