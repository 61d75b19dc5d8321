import { expect, test } from 'vitest'
import type { UsageRow } from '../../api/types.ts'
import { barsOf } from './series.ts'

const row = (day: string, model: string, runs: number): UsageRow => ({
  ...{ day, model, kind: 'chat', payer: 'credits', runs, failures: 0 },
  ...{ inputTokens: 10 * runs, outputTokens: runs, costMicroCredits: 5 * runs },
})

const usage = {
  from: '2026-11-01',
  to: '2026-11-03',
  rows: [row('2026-11-01', 'a', 1), row('2026-11-03', 'a', 2), row('2026-11-03', 'b', 7)],
}

test('there is a bar for each day, also one on which nothing was used', () => {
  const { bars, groups } = barsOf(usage, 'model', 'runs')
  expect(bars).toEqual([
    { day: '2026-11-01', a: 1 },
    { day: '2026-11-02' },
    { day: '2026-11-03', a: 2, b: 7 },
  ])
  expect(groups).toEqual([
    { name: 'b', total: 7 },
    { name: 'a', total: 3 },
  ])
})

test('groups add up whatever is measured', () => {
  expect(barsOf(usage, 'payer', 'tokens').groups).toEqual([{ name: 'credits', total: 110 }])
  expect(barsOf(usage, 'kind', 'costMicroCredits').groups).toEqual([{ name: 'chat', total: 50 }])
})
