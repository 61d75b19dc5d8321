import { expect, test } from 'vitest'
import { createPasswords } from './passwords.ts'

const cost = { memoryCost: 64, timeCost: 1 }

test('passwords are kept as argon2id at the cost that OWASP asks for', async () => {
  const kept = await createPasswords().hash('correct horse battery staple')
  expect(kept).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/)
})

test('hashing leaves the event loop free', async () => {
  const passwords = createPasswords()
  let turns = 0
  const timer = setInterval(() => turns++, 1)
  await Promise.all(Array.from({ length: 20 }, () => passwords.hash('correct horse battery staple')))
  clearInterval(timer)
  // On the loop, twenty hashes would let at most one timer through for each.
  expect(turns).toBeGreaterThan(20)
})

test('a few run, the next wait in their order, and too many are told to come again', async () => {
  const passwords = createPasswords({ cost, concurrency: 2, maxWaiting: 3 })
  const order: number[] = []
  let running = 0
  let most = 0
  const kept = await passwords.hash('text')
  const attempts = Array.from({ length: 7 }, (_, i) =>
    passwords
      .matches('text', kept, {
        async begin() {
          most = Math.max(most, ++running)
          order.push(i)
        },
        async takeBack() {
          running--
        },
      })
      .catch((error: unknown) => (error as { code: string }).code),
  )
  expect(await Promise.all(attempts)).toEqual([true, true, true, true, true, 'BUSY', 'BUSY'])
  expect(most).toBe(2)
  expect(order).toEqual([0, 1, 2, 3, 4])
})

test('one that throws gives its place to the next', async () => {
  const passwords = createPasswords({ cost, concurrency: 1 })
  const kept = await passwords.hash('text')
  const refused = passwords.matches('text', kept, {
    begin: async () => {
      throw new Error('spent')
    },
    takeBack: async () => {},
  })
  const next = passwords.matches('text', kept)
  await expect(refused).rejects.toThrow('spent')
  expect(await next).toBe(true)
})

test('a hash of another cost is made anew at the next sign-in', async () => {
  const weak = await createPasswords({ cost }).hash('text')
  const passwords = createPasswords({ cost: { memoryCost: 128, timeCost: 1 } })
  expect(passwords.isCurrent(weak)).toBe(false)
  expect(passwords.isCurrent(await passwords.hash('text'))).toBe(true)
  expect(await passwords.matches('text', weak)).toBe(true)
})
