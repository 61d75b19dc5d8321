import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { insertAccount } from '../../../test/support/accounts.ts'
import { createTestDatabase, type TestDatabase } from '../../../test/support/database.ts'
import { newId } from '../../lib/ids.ts'
import { hasSqlState } from '../../platform/database/index.ts'
import { enter } from './index.ts'

let database: TestDatabase

beforeAll(async () => {
  database = await createTestDatabase({ maxConnections: 8 })
})

afterAll(() => database.close())

/** What may happen to one account; `run` names one of a few generations, so that deeds meet each other. */
type Deed =
  | { type: 'hold'; run: number; amount: number }
  | { type: 'settle'; run: number; cost: number }
  | { type: 'buy'; payment: number; amount: number }
  | { type: 'refund'; payment: number; amount: number }

const run = fc.integer({ min: 0, max: 5 })
const amount = fc.integer({ min: 1, max: 100 })
const deed: fc.Arbitrary<Deed> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ type: fc.constant('hold' as const), run, amount }) },
  {
    weight: 4,
    arbitrary: fc.record({
      type: fc.constant('settle' as const),
      run,
      cost: fc.integer({ min: -5, max: 150 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('buy' as const), payment: run, amount }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('refund' as const), payment: run, amount }) },
)

const outcomes = new Set(['23505', 'AT402'])

/** Does a deed as the product does: a hold with its run, a settlement of what that run holds. */
async function perform(accountId: string, runs: readonly string[], what: Deed): Promise<void> {
  const { pool, db } = database
  try {
    if (what.type === 'hold') {
      await pool.query('select take_hold($1, $2, $3, false, null)', [accountId, runs[what.run], what.amount])
    } else if (what.type === 'settle') {
      await pool.query(
        `select settle_hold(account_id, generation_id, -amount_micro_credits, $2, null)
         from ledger_entries where generation_id = $1 and kind = 'hold'`,
        [runs[what.run], what.cost],
      )
    } else {
      const kind = what.type === 'buy' ? 'purchase' : 'clawback'
      const amountMicroCredits = what.type === 'buy' ? what.amount : -what.amount
      await enter(db, { accountId, kind, amountMicroCredits, reference: `payment-${what.payment}` })
    }
  } catch (error) {
    if (![...outcomes].some(state => hasSqlState(error, state))) throw error
  }
}

interface Entry {
  kind: string
  amount: number
  balance: number
  generation: string | null
  reference: string | null
}

async function entriesOf(accountId: string): Promise<Entry[]> {
  const { rows } = await database.pool.query<Entry>(
    `select kind, amount_micro_credits as amount, balance_micro_credits as balance, generation_id as generation,
       reference from ledger_entries where account_id = $1 order by seq`,
    [accountId],
  )
  return rows
}

function expectWhole(entries: readonly Entry[], balance: number): void {
  let sum = 0
  for (const entry of entries) {
    sum += entry.amount
    expect(entry.balance).toBe(sum)
    if (entry.kind === 'hold') expect(entry.balance).toBeGreaterThanOrEqual(0)
  }
  expect(balance).toBe(sum)
  const once = entries
    .filter(entry => entry.generation ?? entry.reference)
    .map(entry => `${entry.kind} ${entry.generation ?? entry.reference}`)
  expect(new Set(once).size).toBe(once.length)
  for (const hold of entries.filter(entry => entry.kind === 'hold')) {
    const of = (kind: string) =>
      entries.find(entry => entry.kind === kind && entry.generation === hold.generation)?.amount ?? 0
    expect([0, -hold.amount]).toContain(of('release'))
    expect(-of('settle')).toBeLessThanOrEqual(of('release'))
  }
}

test('whatever happens at once, balances are sums, nothing is entered twice, and spending stops at zero', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(deed, { minLength: 1, maxLength: 6 }), { maxLength: 6 }),
      async steps => {
        const { db, pool } = database
        const accountId = await insertAccount(db)
        await pool.query(
          `select enter_credits($1, 'adjustment', 200 - micro_credits, null, null, null) from balances where account_id = $1`,
          [accountId],
        )
        const runs = Array.from({ length: 6 }, () => newId())
        for (const together of steps) await Promise.all(together.map(what => perform(accountId, runs, what)))
        const balance = await pool.query(
          'select micro_credits as balance from balances where account_id = $1',
          [accountId],
        )
        expectWhole(await entriesOf(accountId), balance.rows[0].balance)
      },
    ),
    { numRuns: Number(process.env.LEDGER_RUNS ?? 60), endOnFailure: true },
  )
})

test('entries are never changed or removed', async () => {
  const accountId = await insertAccount(database.db)
  const changing = database.pool.query(
    'update ledger_entries set amount_micro_credits = 1 where account_id = $1',
    [accountId],
  )
  await expect(changing).rejects.toThrow('append-only')
  const removing = database.pool.query('delete from ledger_entries where account_id = $1', [accountId])
  await expect(removing).rejects.toThrow('append-only')
})

test('an entry has the sign of its kind, and names a run where one holds or settles', async () => {
  const accountId = await insertAccount(database.db)
  const kinds = ['grant', 'purchase', 'refund', 'release', 'hold', 'settle', 'clawback', 'adjustment', 'gift']
  const allowed: string[] = []
  for (const kind of kinds) {
    for (const amount of [-1, 0, 1]) {
      for (const generation of [null, newId()]) {
        const inserted = database.pool.query(
          `insert into ledger_entries (account_id, kind, amount_micro_credits, balance_micro_credits, generation_id)
           values ($1, $2, $3, 0, $4)`,
          [accountId, kind, amount, generation],
        )
        const error = await inserted.then(
          () => null,
          (thrown: unknown) => thrown,
        )
        if (error === null) allowed.push(`${generation ? 'run ' : ''}${kind} ${amount}`)
        else expect(hasSqlState(error, '23514')).toBe(true)
      }
    }
  }
  expect(allowed).toEqual([
    'grant 1',
    'purchase 1',
    'refund 1',
    'run release 1',
    'run hold -1',
    'run settle -1',
    'clawback -1',
    'adjustment -1',
    'adjustment 1',
  ])
})
