import pg from 'pg'
import { isUnavailable } from './failures.ts'
import { connectionConfig, type DatabaseSource } from './pool.ts'
import { DatabaseStartError } from './start-error.ts'

/** How long a start waits for a server that does not listen (yet), and for one that says it is starting. */
const absentLimitMs = 3_000
const startingLimitMs = 60_000

/** One connection beside the pool, for work at start; waits a little for a server that comes up at the same time. */
export async function connectAtStart(source: DatabaseSource): Promise<pg.Client> {
  const startedAt = Date.now()
  for (;;) {
    const client = new pg.Client({ ...connectionConfig(source), connectionTimeoutMillis: 10_000 })
    client.on('error', () => {})
    try {
      await client.connect()
      return client
    } catch (error) {
      await client.end().catch(() => {})
      const isStarting = (error as { code?: string }).code === '57P03'
      const isHopeful =
        isUnavailable(error) && Date.now() - startedAt < (isStarting ? startingLimitMs : absentLimitMs)
      if (!isHopeful)
        throw new DatabaseStartError(`cannot use the database ${placeOf(source)}: ${lineOf(error)}`)
    }
    await new Promise(resolve => setTimeout(resolve, 100))
  }
}

/** An error in one line; errors of a host with several addresses have no message of their own. */
export function lineOf(error: unknown): string {
  if (error instanceof AggregateError && error.message === '') return error.errors.map(lineOf).join('; ')
  return error instanceof Error ? error.message.replaceAll('\n', ' ') : String(error)
}

/** Where a source is, for a person; never with its password. */
export function placeOf(source: DatabaseSource): string {
  if (typeof source !== 'string') return source().host
  return source.replace(/^([a-z]+:\/\/[^:@/]*):[^@]*@/, '$1@').replace(/([?&]password=)[^&]*/, '$1…')
}
