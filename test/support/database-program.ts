// A process that stands on the embedded database of argv[2], driven line by line on its standard input.
import { createInterface } from 'node:readline'
import { startEmbedded } from '../../src/platform/database/embedded.ts'
import { openDatabase } from '../../src/platform/database/index.ts'

const dataDir = process.argv[2] ?? ''
// The strictest umask that people use: nothing may depend on a looser one.
process.umask(0o077)
const say = (answer: object) => process.stdout.write(`${JSON.stringify(answer)}\n`)

async function run(): Promise<void> {
  const startedAt = performance.now()
  const embedded = await startEmbedded({ dataDir })
  const startMs = Math.round(performance.now() - startedAt)
  const database = openDatabase({ source: embedded.connection, maxConnections: 2 })
  await database.pool.query('create table if not exists marks (text text primary key)').catch(() => {})
  const { rows } = await database.pool.query<{ pid: number }>(
    `select split_part(pg_read_file('postmaster.pid'), E'\\n', 1)::int as pid`,
  )
  say({
    startMs,
    cluster: embedded.cluster,
    socket: embedded.connection().host,
    postmaster: rows[0]?.pid,
    url: embedded.url(),
  })
  const commands: Record<string, (value: string) => Promise<object>> = {
    async insert(value) {
      await database.pool.query('insert into marks values ($1)', [value])
      return { inserted: value }
    },
    async read() {
      const found = await database.pool.query<{ text: string }>('select text from marks order by text')
      return { marks: found.rows.map(row => row.text) }
    },
    async ping() {
      return database.ping().then(
        () => ({ ping: 'ok' }),
        (error: { code: string; status: number }) => ({ ping: error.code, status: error.status }),
      )
    },
    async close() {
      await database.close()
      await embedded.close()
      return { closed: true }
    },
  }
  const input = createInterface({ input: process.stdin })
  for await (const line of input) {
    const [command = '', value = ''] = line.split(' ')
    const answer = await commands[command]?.(value).catch((error: Error) => ({ failed: error.message }))
    say(answer ?? { unknown: command })
    if (command === 'close') break
  }
  input.close()
}

run().catch((error: unknown) => {
  const isExpected = error instanceof Error && error.name === 'DatabaseStartError'
  process.stderr.write(`${isExpected ? error.message : String((error as Error).stack)}\n`)
  process.exit(1)
})
