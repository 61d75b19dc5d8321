import { monitorEventLoopDelay } from 'node:perf_hooks'
import { afterEach, describe, expect, test } from 'vitest'
import { type Checker, type CheckerLimits, createChecker } from '../../src/features/plugins/checker.ts'
import { codeWithErrors, mendedCode } from './answers.ts'

const open: Checker[] = []
afterEach(async () => {
  for (const checker of open.splice(0)) await checker.close()
})

function checkerWith(limits: Partial<CheckerLimits> = {}): Checker {
  const checker = createChecker(limits)
  open.push(checker)
  return checker
}

const ada = 'account of Ada'
const rules = (report: Awaited<ReturnType<Checker['check']>>) => report.findings.map(({ rule }) => rule)
const header = "<?php\n/**\n * Plugin Name: Deep\n * Version: 1.0.0\n */\ndefined( 'ABSPATH' ) || exit;\n"
const many = (text: string, times: number) => text.repeat(times)

describe('the thread that checks plugins', () => {
  test('gives the same findings as the checks themselves, with their counts', async () => {
    const report = await checkerWith().check(codeWithErrors, ada)
    expect(report).toMatchObject({ errors: 2, warnings: 1 })
    expect(rules(report)).toEqual(['unescaped-output', 'missing-capability', 'missing-nonce'])
    expect(report.durationMs).toBeGreaterThan(0)
  })

  // Each of these ends a parser or a rule that calls itself for what is inside.
  test.each([
    ['parentheses', `$deep_a = ${many('(', 60_000)}1${many(')', 60_000)};`],
    ['arrays', `$deep_a = ${many('[', 60_000)}${many(']', 60_000)};`],
    ['blocks', `${many('if ( 1 ) {', 60_000)}${many('}', 60_000)}`],
    ['a long chain of texts', `$deep_a = 'a'${many(" . 'a'", 90_000)};`],
    ['calls in one another', `deep_a( ${many('deep_a( ', 60_000)}1${many(' )', 60_000)} );`],
    ['closures in one another', `$deep_a = ${many('function () { return ', 20_000)}1;${many(' };', 20_000)}`],
    ['what is never closed', many('( [ { ', 100_000)],
  ])(
    'answers code of very many %s with an error, and the next check is a good one',
    async (_what, body) => {
      const checker = checkerWith()
      const report = await checker.check(`${header}${body}\n`, ada)
      expect(report.errors).toBeGreaterThan(0)
      expect(rules(report).every(rule => ['syntax', 'too-complex'].includes(rule))).toBe(true)
      expect((await checker.check(mendedCode, ada)).findings).toEqual([])
    },
    60_000,
  )

  test('is given up when it takes too long', async () => {
    const checker = checkerWith({ timeMs: 400 })
    const long = `${header}${many("deep_a( 'some text', array( 1, 2, 3 ), $deep_b->c( $deep_d ) );\n", 14_000)}`
    const begun = performance.now()
    const report = await checker.check(long, ada)
    expect(rules(report)).toEqual(['too-complex'])
    expect(report.findings[0]).toMatchObject({
      severity: 'error',
      line: 1,
      advice: expect.stringMatching(/./),
    })
    expect(performance.now() - begun).toBeLessThan(10_000)
  }, 60_000)

  test('is ended when it takes too much memory, and the process lives', async () => {
    const checker = checkerWith({ memoryMegabytes: 24, timeMs: 30_000 })
    const large = `${header}${many('deep_a( array( 1, 2, 3 ) );\n', 36_000)}`
    expect(rules(await checker.check(large, ada))).toEqual(['too-complex'])
    expect((await checker.check(mendedCode, ada)).findings).toEqual([])
  }, 60_000)

  test('lets so many wait, and says so to the next', async () => {
    const checker = checkerWith({ queue: 3 })
    // One is worked on, three wait.
    const waiting = Array.from({ length: 4 }, () => checker.check(mendedCode, ada))
    await expect(checker.check(mendedCode, ada)).rejects.toMatchObject({
      kind: 'limited',
      code: 'CHECK_QUEUE',
    })
    for (const report of await Promise.all(waiting)) expect(report.findings).toEqual([])
  }, 60_000)

  test('lets accounts take turns, and one alone wait so often', async () => {
    const checker = checkerWith({ queuePerAccount: 3 })
    const done: string[] = []
    const asked = (who: string) => checker.check(mendedCode, who).then(() => void done.push(who))
    const waiting = ['a', 'a', 'a', 'a', 'b', 'b'].map(asked)
    await expect(checker.check(mendedCode, 'a')).rejects.toMatchObject({ code: 'CHECK_QUEUE' })
    await Promise.all(waiting)
    expect(done.join(' ')).toBe('a b a b a a')
  }, 60_000)

  test('tells whoever waits when it is closed, at work or not', async () => {
    const checker = checkerWith()
    const waiting = [checker.check(mendedCode, ada), checker.check(mendedCode, ada)].map(each =>
      each.then(
        () => 'checked',
        error => error.code,
      ),
    )
    await checker.close()
    expect(await Promise.all(waiting)).toEqual(['SHUTTING_DOWN', 'SHUTTING_DOWN'])
    await expect(checker.check(mendedCode, ada)).rejects.toMatchObject({ code: 'SHUTTING_DOWN' })
  }, 60_000)

  test('leaves the event loop free while twenty large plugins are checked', async () => {
    const checker = checkerWith()
    const large = `${header}${many("deep_a( 'text', array( 1, 2 ), $deep_b->c( $deep_d ) );\n", 800)}`
    await checker.check(large, ada)
    const delay = monitorEventLoopDelay({ resolution: 5 })
    delay.enable()
    const reports = await Promise.all(
      Array.from({ length: 20 }, (_, at) => checker.check(large, `account ${at}`)),
    )
    delay.disable()
    const checkedMs = reports.reduce((sum, { durationMs }) => sum + durationMs, 0)
    // On the loop half of its moments would have been as late as one whole check takes.
    expect(checkedMs).toBeGreaterThan(200)
    expect(delay.percentile(50) / 1e6).toBeLessThan(checkedMs / 20 / 2 + 5)
  }, 60_000)
})
