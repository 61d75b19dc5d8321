// The fault suite, see docs/faults.md: npm run faults -- --only kills --kills 50 --mode distributed
import { parseArgs } from 'node:util'
import { runCuts } from './cuts.ts'
import { runStrikes, type Strike } from './load.ts'
import type { Report } from './report.ts'
import { runSpends } from './spends.ts'
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
import { runUpstream } from './upstream.ts'
import type { Mode } from './worlds.ts'

const { values } = parseArgs({
  options: {
    /** Names of scenarios, with commas between; all of them unless told. */
    only: { type: 'string', default: '' },
    /** embedded or distributed; both unless told. */
    mode: { type: 'string', default: '' },
    kills: { type: 'string', default: '9' },
    streams: { type: 'string', default: '20' },
    cuts: { type: 'string', default: '1000' },
    /** Rounds of fifty submits at once by an account that can pay for three. */
    spends: { type: 'string', default: '20' },
    /** How often each of the other faults strikes. */
    rounds: { type: 'string', default: '3' },
    lanes: { type: 'string', default: '3' },
  },
})

const [kills, streams, cuts, spends, rounds, lanes] = [
  numberOf('kills'),
  numberOf('streams'),
  numberOf('cuts'),
  numberOf('spends'),
  numberOf('rounds'),
  numberOf('lanes'),
]

interface Scenario {
  name: string
  modes: readonly Mode[]
  run(mode: Mode): Promise<Report>
}

const striking = (name: string, strike: Strike, count: number): Scenario => ({
  name,
  modes: strike.modes,
  run: mode => runStrikes(mode, strike, { rounds: count, streams, lanes }),
})

const scenarios: readonly Scenario[] = [
  striking('kills', killed, kills),
  striking('stops', stopped, rounds),
  striking('drains', drained, rounds),
  striking('impatience', impatient, rounds),
  striking('redis', redisRestarted, rounds),
  striking('wipes', redisWiped, rounds),
  striking('postgres', postgresCrashed, rounds),
  striking('absences', postgresAway, Math.ceil(rounds / 3)),
  striking('freezes', frozen, Math.ceil(rounds / 3)),
  { name: 'cuts', modes: ['distributed'], run: mode => runCuts(mode, { cuts, followers: streams }) },
  {
    name: 'spends',
    modes: ['embedded', 'distributed'],
    run: mode => runSpends(mode, { rounds: spends }),
  },
  { name: 'upstream', modes: ['embedded'], run: () => runUpstream({ rounds: Math.ceil(rounds / 3) }) },
]

function numberOf(name: 'kills' | 'streams' | 'cuts' | 'spends' | 'rounds' | 'lanes'): number {
  const number = Number(values[name])
  if (Number.isSafeInteger(number) && number > 0 && number <= 100_000) return number
  process.stderr.write(`--${name} must be a whole number above 0, not "${values[name]}"\n`)
  process.exit(2)
}

function chosen(): { scenario: Scenario; mode: Mode }[] {
  const names = values.only.split(',').filter(Boolean)
  const unknown = names.filter(name => !scenarios.some(scenario => scenario.name === name))
  if (unknown.length > 0) {
    const all = scenarios.map(scenario => scenario.name).join(', ')
    process.stderr.write(`there is no scenario ${unknown.join(', ')}; there are ${all}\n`)
    process.exit(2)
  }
  return scenarios
    .filter(({ name }) => names.length === 0 || names.includes(name))
    .flatMap(scenario => scenario.modes.map(mode => ({ scenario, mode })))
    .filter(({ mode }) => !values.mode || values.mode === mode)
}

const interrupted = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    interrupted.abort()
    process.stdout.write('\nstopping: ending what was started\n')
    void abandonAll().finally(() => process.exit(130))
  })
}

let hasFailed = false
for (const { scenario, mode } of chosen()) {
  const startedAt = Date.now()
  const report = await scenario.run(mode)
  // What was interrupted says nothing; the process ends when everything is cleaned up.
  if (interrupted.signal.aborted) await new Promise(() => {})
  const seconds = Math.round((Date.now() - startedAt) / 1000)
  process.stdout.write(`${report.text()}\n           took ${seconds} s (--only ${scenario.name})\n\n`)
  hasFailed ||= report.failures.length > 0
}
process.exit(hasFailed ? 1 : 0)
