// The fault suite: node test/faults/run.ts --only kills --kills 10 --streams 20 --mode embedded
import { parseArgs } from 'node:util'
import { runStrikes, type Strike } from './load.ts'
import { abandonAll } from './stage.ts'
import {
  drained,
  frozen,
  impatient,
  killed,
  postgresAway,
  postgresCrashed,
  redisRestarted,
  redisWiped,
  stopped,
} from './strikes.ts'

const { values } = parseArgs({
  options: {
    only: { type: 'string', default: '' },
    mode: { type: 'string', default: '' },
    kills: { type: 'string', default: '12' },
    streams: { type: 'string', default: '20' },
    rounds: { type: 'string', default: '4' },
    lanes: { type: 'string', default: '3' },
  },
})

const load = { streams: Number(values.streams), lanes: Number(values.lanes) }

interface Scenario {
  name: string
  strike: Strike
  rounds: number
}

const scenarios: readonly Scenario[] = [
  { name: 'kills', strike: killed, rounds: Number(values.kills) },
  { name: 'stops', strike: stopped, rounds: Number(values.rounds) },
  { name: 'drains', strike: drained, rounds: Number(values.rounds) },
  { name: 'impatience', strike: impatient, rounds: Number(values.rounds) },
  { name: 'redis', strike: redisRestarted, rounds: Number(values.rounds) },
  { name: 'wipes', strike: redisWiped, rounds: Number(values.rounds) },
  { name: 'postgres', strike: postgresCrashed, rounds: Number(values.rounds) },
  { name: 'absences', strike: postgresAway, rounds: 1 },
  { name: 'freezes', strike: frozen, rounds: 1 },
]

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    process.stdout.write('\nstopping: ending what was started\n')
    void abandonAll().finally(() => process.exit(130))
  })
}

let hasFailed = false
for (const { name, strike, rounds } of scenarios) {
  if (values.only && !values.only.split(',').includes(name)) continue
  for (const mode of strike.modes) {
    if (values.mode && values.mode !== mode) continue
    const startedAt = Date.now()
    const report = await runStrikes(mode, strike, { ...load, rounds })
    const seconds = Math.round((Date.now() - startedAt) / 1000)
    process.stdout.write(`${report.text()}\n           took ${seconds} s (${name})\n\n`)
    hasFailed ||= report.failures.length > 0
  }
}
process.exit(hasFailed ? 1 : 0)
