import { spawn } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { afterAll, beforeAll, describe, expect, inject, test, vi } from 'vitest'
import { startRedis, type TestRedis } from '../../../test/support/redis.ts'
import { newId } from '../../lib/ids.ts'
import { createRedis } from '../redis/index.ts'
import { collect, eventLogsContract, followSoon, textOf } from './contract.ts'
import type { EventLogs } from './index.ts'
import { createRedisEventLogs } from './redis.ts'

const program = fileURLToPath(new URL('../../../test/support/events-program.ts', import.meta.url))

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

describe.skipIf(!inject('machine').redis)('event logs in Redis', () => {
  let redis: TestRedis
  const opened: EventLogs[] = []
  beforeAll(async () => {
    redis = await startRedis()
  })
  afterAll(async () => {
    for (const logs of opened) await logs.close()
    await redis.close()
  })

  function open(timing = {}): EventLogs {
    const logs = createRedisEventLogs({ url: redis.url, timing })
    opened.push(logs)
    return logs
  }

  eventLogsContract(async () => ({
    writing: createRedisEventLogs({ url: redis.url }),
    reading: createRedisEventLogs({ url: redis.url }),
  }))

  /** Writes a long text bit by bit; gives the whole of it. */
  async function write(logs: EventLogs, id: string, { words = 400, everyMs = 1 } = {}): Promise<string> {
    const log = logs.open(id)
    log.append({ type: 'start' })
    let text = '§'
    for (let index = 0; index < words; index++) {
      const word = `word-${index} `
      log.append({ type: 'text-delta', text: word })
      text += word
      await sleep(everyMs)
    }
    log.append({ type: 'end' })
    log.end()
    return `${text}§`
  }

  test('who comes back while news of the end are still arriving gets the log too', async () => {
    const [writing, other] = [open(), open()]
    const found = await Promise.all(
      Array.from({ length: 400 }, async (_, round) => {
        await sleep(round)
        const id = newId()
        const log = writing.open(id)
        log.append({ type: 'text-delta', text: 'some ' })
        const first = followSoon(other, id, { after: 0 }).then(collect)
        for (let words = randomInt(4); words > 0; words--) await sleep(0)
        log.append({ type: 'text-delta', text: 'words' })
        log.end()
        await first
        return textOf(await collect(await other.follow(id, { after: 0 })))
      }),
    )
    expect(found.filter(text => text !== 'some words')).toEqual([])
  })

  test('a thousand cuts and resumptions on either process leave no gap and no repeat', async () => {
    const [writing, other] = [open(), open()]
    let cuts = 0
    async function readWithCuts(id: string): Promise<string> {
      let text = ''
      for (let isDone = false; !isDone; cuts++) {
        const controller = new AbortController()
        const logs = randomInt(4) === 0 ? writing : other
        const limit = randomInt(1, 60)
        const before = text.length
        const batches = await followSoon(logs, id, { after: text.length, signal: controller.signal })
        for await (const batch of batches) {
          text += textOf(batch)
          isDone = batch.at(-1)?.type === 'end'
          if (text.length - before >= limit) break
        }
        controller.abort()
      }
      return text
    }
    for (let round = 0; cuts < 1000; round++) {
      const ids = Array.from({ length: 8 }, newId)
      const written = ids.map(id => write(writing, id, { words: 300 }))
      const read = await Promise.all(ids.map(readWithCuts))
      expect(read).toEqual(await Promise.all(written))
      expect(round).toBeLessThan(30)
    }
  }, 60_000)

  test('Redis is killed and comes back in the middle: the log comes back complete', async () => {
    const [writing, other] = [open(), open()]
    const id = newId()
    const written = write(writing, id, { words: 1200 })
    const following = followSoon(other, id, { after: 0 }).then(collect)
    await sleep(200)
    await redis.stop()
    await sleep(600)
    await redis.start()
    const text = await written
    expect(textOf(await following)).toBe(text)
    const late = await followSoon(other, id, { after: 0 })
    expect(textOf(await collect(late))).toBe(text)
  }, 20_000)

  test('Redis is wiped in the middle: the log comes back complete, from the beginning', async () => {
    const [writing, other] = [open({ beatMs: 300 }), open({ beatMs: 300 })]
    const admin = createRedis({ url: redis.url, name: 'admin', temper: 'prompt' })
    const id = newId()
    const written = write(writing, id, { words: 600 })
    const following = followSoon(other, id, { after: 0 }).then(collect)
    await sleep(200)
    await admin.flushall()
    await sleep(100)
    await admin.flushall()
    const text = await written
    expect(textOf(await following)).toBe(text)
    const late = await followSoon(open(), id, { after: 0 })
    expect(textOf(await collect(late))).toBe(text)
    admin.disconnect()
  }, 20_000)

  test('without Redis writing and reading here goes on as if nothing were', async () => {
    const alone = createRedisEventLogs({ url: 'redis://127.0.0.1:1' })
    const id = newId()
    const written = write(alone, id, { words: 50 })
    const read = collect(await alone.follow(id, { after: 0 }))
    expect(textOf(await read)).toBe(await written)
    const startedAt = performance.now()
    expect(await alone.follow(newId(), { after: 0 })).toBeNull()
    expect(performance.now() - startedAt).toBeLessThan(500)
    expect(await alone.read(newId(), 0)).toBeNull()
    await alone.close()
  })

  test('a log whose writer is silent ends for its followers, without an end of its own', async () => {
    const timing = { beatMs: 400, deadAfterMs: 2400 }
    const [writing, other] = [createRedisEventLogs({ url: redis.url, timing }), open(timing)]
    const id = newId()
    const log = writing.open(id)
    log.append({ type: 'text-delta', text: 'so far' })
    const following = followSoon(other, id, { after: 0 }).then(collect)
    await sleep(4000)
    log.append({ type: 'text-delta', text: ' so good' })
    await expect.poll(async () => textOf((await other.read(id, 0))?.events ?? [])).toBe('so far so good')
    await writing.close()
    expect(textOf(await following)).toBe('so far so good')
    expect(await other.follow(id, { after: 0 })).toBeNull()
  })

  test('a writer in another process, killed in the middle: its text is read until then, and the follower ends', async () => {
    const timing = { beatMs: 200, deadAfterMs: 600 }
    const other = open(timing)
    const id = newId()
    const child = spawn(process.execPath, [program, JSON.stringify({ url: redis.url, id, timing })], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    await once(child.stdout, 'data')
    const following = followSoon(other, id, { after: 0 }).then(collect)
    await expect
      .poll(async () => textOf((await other.read(id, 0))?.events ?? []).split(' ').length)
      .toBeGreaterThan(30)
    child.kill('SIGKILL')
    const killedAt = performance.now()
    const text = textOf(await following)
    expect(performance.now() - killedAt).toBeLessThan(5000)
    const words = text.trim().split(' ')
    expect(words.length).toBeGreaterThan(20)
    expect(words).toEqual(words.map((_, index) => `word-${index}`))
  })

  test('followers that do not read cost next to nothing each', async () => {
    const [writing, other] = [open(), open()]
    const id = newId()
    const log = writing.open(id)
    log.append({ type: 'start' })
    const waiting = await Promise.all(Array.from({ length: 200 }, () => followSoon(other, id, { after: 0 })))
    for (const batches of waiting) await batches[Symbol.asyncIterator]().next()
    collectGarbage()
    const before = process.memoryUsage().heapUsed
    for (let index = 0; index < 100; index++)
      log.append({ type: 'text-delta', text: `${index}`.repeat(10_000) })
    const whole = await vi.waitFor(
      async () => {
        const page = await other.read(id, 0)
        expect(page?.events.at(-1)?.seq).toBe(log.seq)
        return textOf(page?.events ?? [])
      },
      { timeout: 10_000 },
    )
    collectGarbage()
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(6 * whole.length + 4_000_000)
    log.end()
  })

  test('a second writing of the same log ends the followers of the first', async () => {
    const [first, second, other] = [open(), open(), open()]
    const id = newId()
    first.open(id).append({ type: 'text-delta', text: 'first attempt' })
    const batches = (await followSoon(other, id, { after: 0 }))[Symbol.asyncIterator]()
    const { value } = await batches.next()
    const following = collect({ [Symbol.asyncIterator]: () => batches })
    const log = second.open(id)
    log.append({ type: 'text-delta', text: 'second attempt' })
    expect(textOf([...value, ...(await following)])).toBe('first attempt')
    log.end()
    await expect
      .poll(async () => textOf(await collect(await other.follow(id, { after: 0 }))))
      .toBe('second attempt')
  })

  test('a log that has ended can be read on any process for a while, then is gone from Redis', async () => {
    const [writing, other] = [open({ keepEndedMs: 3000 }), open()]
    const id = newId()
    const text = await write(writing, id, { words: 10 })
    expect(textOf(await collect(await followSoon(other, id, { after: 0 })))).toBe(text)
    await expect.poll(() => other.read(id, 0), { interval: 50 }).toBeNull()
  })
})
