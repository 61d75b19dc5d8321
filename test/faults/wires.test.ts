import { expect, inject, test } from 'vitest'
import { runCuts } from './cuts.ts'
import { runUpstream } from './upstream.ts'

const timeoutMs = 240_000

test.skipIf(!inject('machine').redis)(
  'answers that are read in hundreds of pieces from two servers are whole',
  { timeout: timeoutMs },
  async () => {
    const report = await runCuts('distributed', { cuts: 200, followers: 8 })
    expect(report.failures, report.text()).toEqual([])
  },
)

test('trouble upstream ends right and costs what is right, on every wire', {
  timeout: timeoutMs,
}, async () => {
  const names = [
    '401',
    'prompt blocked',
    'end in the middle',
    'no finish reason',
    'a cancel',
    'a client that leaves',
  ]
  const report = await runUpstream({ rounds: 1, only: names })
  expect(report.failures, report.text()).toEqual([])
})
