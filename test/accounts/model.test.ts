import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type AccountsDeps, createAccounts } from '../../src/features/accounts/index.ts'
import { createMemoryCache } from '../../src/platform/cache/memory.ts'
import { createTestDatabase } from '../support/database.ts'
import { accessMs, commands, compareAtTheEnd, freshModel, passwordOf, type Real, signIn } from './model.ts'
import { createClock, createOutbox, secret } from './support.ts'

const lanes = 4
/** MODEL_RUNS asks for more. */
const runs = Number(process.env.MODEL_RUNS ?? 2000)
const many = 1_000_000
const limits = {
  loginsPerHour: many,
  loginsPerNetworkPerHour: many,
  loginsPerAddressPerQuarter: many,
  codesPerHour: many,
  codesPerNetworkPerHour: many,
  codesPerHourInAll: many,
  refreshFailures: many,
}

test(`${runs} random lives of an account go as the model says`, { timeout: 600_000 }, async () => {
  await using database = await createTestDatabase()
  let steps = 0
  await Promise.all(
    Array.from({ length: lanes }, async (_, lane) => {
      const clock = createClock()
      const outbox = createOutbox()
      const failures: unknown[] = []
      const deps: AccountsDeps = {
        db: database.db,
        cache: createMemoryCache(),
        mail: outbox.mail,
        sms: outbox.sms,
        secrets: [secret],
        accessLifetimeSeconds: accessMs / 1000,
        settings: {
          publicUrl: 'https://atelier.example',
          signupVerification: 'required',
          refuseCommonPasswords: false,
          echoCodes: true,
        },
        passwordCost: { memoryCost: 8, timeCost: 1 },
        report: error => void failures.push(error),
        now: clock.now,
        limits,
      }
      const accounts = createAccounts(deps)
      let lives = 0
      try {
        await fc.assert(
          fc.asyncProperty(commands, async sequence => {
            const email = `lane${lane}life${lives++}@example.com`
            const { id } = await accounts.addAccount({ email, password: passwordOf(0) })
            const real: Real = {
              accounts,
              clock,
              email,
              accountId: id,
              sessions: [],
              codes: new Map(),
              proofs: [],
              passwords: 0,
              steps: 0,
            }
            const model = freshModel(clock.now())
            await signIn(true).run(model, real)
            await fc.asyncModelRun(() => ({ model, real }), sequence)
            await compareAtTheEnd(model, real)
            steps += real.steps
          }),
          { numRuns: Math.ceil(runs / lanes), endOnFailure: false },
        )
      } finally {
        await accounts.close()
      }
      expect(failures).toEqual([])
    }),
  )
  expect(steps).toBeGreaterThan(runs * 5)
})
