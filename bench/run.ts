// npm run bench: what Atelier costs beside the provider called directly, a bare proxy and a hand-tuned app, in one run.
// Options: --quick (about a minute), --rounds N, --only direct,proxy,floor,atelier, --columns firstToken,request,…,
// --baseline FOLDER (an earlier version of Atelier, as one more row),
// --node-flags='--cpu-prof --cpu-prof-dir=FOLDER' (for the node of Atelier's server).
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { parseArgs } from 'node:util'
import { type Amounts, type Bench, columns, type Figure, measureFollowers, warmUp } from './columns.ts'
import { openBenchDatabase } from './database.ts'
import { runToEnd } from './main.ts'
import { startWorker, type Worker } from './processes.ts'
import { keep, type Measured, type Told, tableOf } from './report.ts'
import { prepareRows, type Row, type RowName, rowNames } from './rows.ts'

const { values: options } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    rounds: { type: 'string' },
    only: { type: 'string' },
    columns: { type: 'string' },
    baseline: { type: 'string' },
    'node-flags': { type: 'string', default: '' },
  },
})

const full: Amounts = {
  warmUpRequests: 4000,
  latencyRequests: 200,
  requests: 1000,
  pacedMs: 2500,
  longAnswers: 60,
  followers: 1000,
}
const quick: Amounts = {
  warmUpRequests: 2000,
  latencyRequests: 100,
  requests: 400,
  pacedMs: 1500,
  longAnswers: 30,
  followers: 500,
}

const stack = new AsyncDisposableStack()
const say = (text: string) => process.stdout.write(text)

async function main(): Promise<void> {
  const amounts = options.quick ? quick : full
  const rounds = Number(options.rounds ?? (options.quick ? 2 : 5))
  const names = rowNames.filter(name =>
    name === 'baseline' ? options.baseline : (options.only?.split(',').includes(name) ?? true),
  )
  const wanted = (key: string) => options.columns?.split(',').includes(key) ?? true

  const dataDir = mkdtempSync(join(tmpdir(), 'atelier-bench-'))
  stack.defer(() => rmSync(dataDir, { recursive: true, force: true }))
  const database = await openBenchDatabase(dataDir)
  // Under a folder that Postgres cannot reach, its cluster lies elsewhere.
  stack.defer(() => rmSync(dirname(database.cluster), { recursive: true, force: true }))
  stack.defer(() => database.close())
  const { worker: provider, hello } = await start<{ port: number }>('./provider.ts')
  const { worker: client } = await start('./client.ts')
  const bench: Bench = { client, provider, postmaster: database.postmaster, amounts }

  say('preparing accounts and conversations\n')
  const nodeFlags = options['node-flags'].split(' ').filter(Boolean)
  const starters = await prepareRows(names, {
    ...{ database, dataDir, nodeFlags },
    providerPort: hello.port,
    baseline: options.baseline,
    accounts: 100,
  })
  const used = columns.filter(column => wanted(column.key))
  const measured: Measured = new Map(names.map(name => [name, new Map()]))
  const labels = await measureRounds({ starters, bench, measured, rounds, columns: used })
  if (wanted('follower')) await measureMemory(starters, bench, measured)
  const told: Told = {
    columns: [...used, { key: 'follower', title: 'open idle stream', unit: 'KB' }],
    ...{ rows: labels, measured, rounds },
  }
  say(`${tableOf(told)}\nwritten to ${keep(told)}\n`)
}

async function start<Hello>(file: string): Promise<{ worker: Worker; hello: Hello }> {
  const started = await startWorker<Hello>(file)
  stack.defer(() => started.worker.stop())
  return started
}

type Starters = Map<RowName, () => Promise<Row>>

interface Rounds {
  starters: Starters
  bench: Bench
  measured: Measured
  rounds: number
  columns: typeof columns
}

/** All rows take turns in every column of every round, so that the machine's moods hit all alike. */
async function measureRounds({ starters, bench, measured, rounds, columns }: Rounds) {
  const rows: Row[] = []
  await using running = new AsyncDisposableStack()
  for (const begin of starters.values()) {
    const row = await begin()
    rows.push(row)
    const registered = stoppable(row)
    running.defer(registered)
  }
  say('warming up')
  for (const row of rows) {
    await warmUp(row, bench)
    say('.')
  }
  // Round 0 warms up what is left, and is thrown away.
  for (let round = 0; round <= rounds; round++) {
    if (round > 0) say(`round ${round} of ${rounds}`)
    for (const column of columns) {
      for (const row of rows) {
        await row.rewind()
        const figure = await column.measure(row, bench)
        if (figure && round > 0) note(measured, { row: row.name, column: column.key, figure })
      }
      say('.')
    }
    say('\n')
  }
  return rows.map(({ name, label }) => ({ name, label }))
}

/** Memory is measured on fresh servers: what earlier load left free would hide what streams take. */
async function measureMemory(starters: Starters, bench: Bench, measured: Measured): Promise<void> {
  say('open idle streams')
  for (const begin of starters.values()) {
    const row = await begin()
    const stop = stoppable(row)
    try {
      const figure = await measureFollowers(row, bench)
      if (figure) note(measured, { row: row.name, column: 'follower', figure })
    } finally {
      await stop()
    }
    say('.')
  }
  say('\n')
}

/** Stops the row's process now, or at the end of everything, whichever comes first. */
function stoppable(row: Row): () => Promise<void> {
  let stopped: Promise<void> | undefined
  const stop = () => {
    stopped ??= row.stop()
    return stopped
  }
  stack.defer(stop)
  return stop
}

function note(
  measured: Measured,
  { row, column, figure }: { row: RowName; column: string; figure: Figure },
): void {
  const byColumn = measured.get(row)
  byColumn?.set(column, [...(byColumn.get(column) ?? []), figure])
}

await runToEnd(main, stack)
