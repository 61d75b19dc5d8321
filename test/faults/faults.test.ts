import { describe, expect, inject, test } from 'vitest'
import { runStrikes, type Strike } from './load.ts'
import type { Report } from './report.ts'
import { runSpends } from './spends.ts'
import { killed, postgresCrashed, redisRestarted } from './strikes.ts'
import type { Mode } from './worlds.ts'

// A little of `npm run faults`, so that each change meets it. The counts that mean something are in docs/faults.md.
const few = { rounds: 1, streams: 8, lanes: 1 }
const timeoutMs = 240_000

function expectWhole(report: Report): void {
  expect(report.failures, report.text()).toEqual([])
}

const strikeOnce = async (mode: Mode, strike: Strike) => expectWhole(await runStrikes(mode, strike, few))

/** The process that is struck in a test's only round. */
const third = (strike: Strike): Strike => ({
  ...strike,
  strike: (world, report) => strike.strike(world, report, 2),
})

test(
  'a server that is killed with open streams loses, doubles and forgets nothing',
  { timeout: timeoutMs },
  () => strikeOnce('embedded', killed),
)

test('fifty submits at once spend what three cost, and no more', { timeout: timeoutMs }, async () =>
  expectWhole(await runSpends('embedded', { rounds: 5 })),
)

describe.skipIf(!inject('machine').redis)('two servers and a worker', () => {
  test.concurrent.each([
    ['a killed server', killed],
    ['a killed worker', third(killed)],
    ['a killed Redis', redisRestarted],
    ['a crash of Postgres', postgresCrashed],
  ])('outlive %s, with all that was accepted', { timeout: timeoutMs }, (_, strike) =>
    strikeOnce('distributed', strike),
  )
})
