import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { insertAccount } from '../../../test/support/accounts.ts'
import { createTestDatabase, type TestDatabase } from '../../../test/support/database.ts'
import { newId } from '../../lib/ids.ts'
import { createEndings } from './endings.ts'
import { defaultSettings } from './schema.ts'
import type { Ending } from './store-endings.ts'
import { takeNewJob } from './store-jobs.ts'
import { insertFirstTurn, insertTurn, type Turn } from './store-turns.ts'

let database: TestDatabase
beforeAll(async () => {
  database = await createTestDatabase()
})
afterAll(() => database.close())

const hold = { inputPriceMicroCredits: 0, outputMicroCredits: 100, contextTokens: 1000, dailyLimits: null }

function turnOf(accountId: string, change: Partial<Turn> = {}): Turn {
  return {
    ...{ generationId: newId(), conversationId: newId(), messageId: newId(), replyId: newId() },
    ...{ accountId, kind: 'chat', message: 'a question', model: 'openai/x', settings: defaultSettings },
    ...{ runner: 'a process', idempotency: null, hold },
    ...change,
  }
}

async function begin(accountId: string, change: Partial<Turn> = {}): Promise<Turn> {
  const turn = turnOf(accountId, change)
  await insertFirstTurn(database.db, turn, { kind: 'chat', title: 'x' }).stored
  return turn
}

function endingOf({ generationId }: Turn, change: Partial<Ending> = {}): Ending {
  return {
    ...{
      generationId,
      attempts: 1,
      model: 'openai/x',
      status: 'completed',
      finishReason: 'stop',
      error: null,
    },
    ...{ content: `the answer of ${generationId}`, marks: [], lastSeq: 50, costMicroCredits: 7 },
    usage: { inputTokens: 3, outputTokens: 4, cachedInputTokens: 0, isEstimated: false },
    ...change,
  }
}

const read = async (text: string, ...values: unknown[]) => (await database.pool.query(text, values)).rows

describe('ends that come together', () => {
  test('are each stored, settled and counted once, whatever they have in common', async () => {
    const [one, other] = [await insertAccount(database.db), await insertAccount(database.db)]
    const turns: Turn[] = []
    for (let index = 0; index < 30; index++) turns.push(await begin(index % 3 === 0 ? other : one))
    // As two processes would that both believe to run them.
    const processes = [createEndings(database.db), createEndings(database.db)]
    const saving = turns.flatMap(turn => processes.map(endings => endings.save(endingOf(turn))))
    const ended = (await Promise.all(saving)).filter(finishedAt => finishedAt !== null)
    expect(ended).toHaveLength(30)
    for (const [accountId, count] of [
      [one, 20],
      [other, 10],
    ] as const) {
      const used =
        'select runs, failures, output_tokens, cost_micro_credits from usage_days where account_id = $1'
      expect(await read(used, accountId)).toEqual([
        { runs: count, failures: 0, output_tokens: 4 * count, cost_micro_credits: 7 * count },
      ])
      const entries =
        'select kind, count(*) from ledger_entries where account_id = $1 group by kind order by kind'
      expect(await read(entries, accountId)).toEqual([
        { kind: 'adjustment', count: 1 },
        ...['hold', 'release', 'settle'].map(kind => ({ kind, count })),
      ])
      const [sums] = await read(
        `select (select micro_credits from balances where account_id = $1) as balance,
           (select sum(amount_micro_credits) from ledger_entries where account_id = $1) as entered`,
        accountId,
      )
      expect(sums.balance).toBe(sums.entered)
    }
    const wrong = `select 1 from messages m join generations g on g.reply_id = m.id
      where m.content <> 'the answer of ' || g.id`
    expect(await read(wrong)).toEqual([])
  })

  test('do not keep each other from being stored when one of them cannot be', async () => {
    const accountId = await insertAccount(database.db)
    const turns = [
      await begin(accountId),
      await begin(accountId),
      await begin(accountId),
      await begin(accountId),
    ]
    const endings = createEndings(database.db)
    const poison = [{ seq: 1, type: 'a mark with a \0' }]
    const outcomes = await Promise.allSettled(
      turns.map((turn, index) => endings.save(endingOf(turn, index === 2 ? { marks: poison } : {}))),
    )
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected', 'fulfilled'])
    const rows = await read('select status from generations where account_id = $1 order by id', accountId)
    expect(rows.map(row => row.status)).toEqual(['completed', 'completed', 'running', 'completed'])
  })

  test('of another attempt, and of what has ended, are left out', async () => {
    const accountId = await insertAccount(database.db)
    const [gone, stale, fresh] = [await begin(accountId), await begin(accountId), await begin(accountId)]
    const endings = createEndings(database.db)
    await endings.save(endingOf(gone))
    const saved = await Promise.all([
      endings.save(endingOf(gone, { status: 'failed' })),
      endings.save(endingOf(stale, { attempts: 2 })),
      endings.save(endingOf(fresh)),
    ])
    expect(saved).toEqual([null, null, expect.any(Date)])
    const rows = await read('select status from generations where account_id = $1 order by id', accountId)
    expect(rows.map(row => row.status)).toEqual(['completed', 'running', 'completed'])
  })
})

describe('a new job', () => {
  const take = (turn: Turn, limited: string[] = []) =>
    takeNewJob(database.db, { id: turn.generationId, runner: 'a worker', limited })

  test('is taken once, with the messages that its prompt is made of', async () => {
    const accountId = await insertAccount(database.db)
    const { conversationId } = await begin(accountId, { message: 'an earlier question' })
    const turn = turnOf(accountId, { conversationId, runner: null })
    await insertTurn(database.db, turn, 'chat').stored
    await insertTurn(database.db, turnOf(accountId, { conversationId, message: 'a later one' }), 'chat')
      .stored
    const taken = await take(turn)
    expect(taken).toMatchObject({ status: 'running', attempts: 1, isJob: true, content: '', marks: [] })
    expect(taken?.recent?.map(({ role, content }) => [role, content])).toEqual([
      ['assistant', ''],
      ['user', 'a question'],
      ['assistant', ''],
      ['user', 'an earlier question'],
    ])
    expect(await take(turn)).toBeNull()
  })

  test('waits when it is too early, and when its provider gets a limited number and no own key pays', async () => {
    const accountId = await insertAccount(database.db)
    const notBefore = new Date(Date.now() + 60_000).toISOString()
    const early = await begin(accountId, { runner: null, settings: { ...defaultSettings, notBefore } })
    expect(await take(early)).toBeNull()
    const limited = await begin(accountId, { runner: null })
    expect(await take(limited, ['gemini', 'openai'])).toBeNull()
    expect(await take(limited, ['gemini'])).toMatchObject({ id: limited.generationId })
    const own = await begin(accountId, { runner: null, hold: { keyId: newId() } })
    expect(await take(own, ['openai'])).toMatchObject({ id: own.generationId })
  })
})
