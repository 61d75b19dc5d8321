import fc from 'fast-check'
import type { Accounts } from '../../src/features/accounts/index.ts'
import { AppError } from '../../src/lib/errors.ts'

const second = 1000
const minute = 60 * second
const day = 24 * 60 * minute
export const accessMs = 15 * minute
const refreshMs = 7 * day
const sessionMaxMs = 90 * day
const graceMs = 10 * second
const codeMs = 10 * minute
const proofMs = 60 * minute

const purposes = ['password-reset', 'verification', 'sign-in', 'account-deletion'] as const
type Purpose = (typeof purposes)[number]

interface ModelToken {
  usedAt: number | null
  expiresAt: number
}

interface ModelSession {
  isAlive: boolean
  startedAt: number
  expiresAt: number
  /** The family from the first token on; each is the child of the one before. */
  family: ModelToken[]
  /** When the newest access token was made. */
  accessAt: number
}

interface ModelCode {
  sentAt: number
  attempts: number
  isUsed: boolean
}

interface ModelProof {
  purpose: Purpose
  madeAt: number
  isUsed: boolean
}

/** What should be true of one account, in plain data. */
export interface Model {
  now: number
  password: number
  sessions: ModelSession[]
  codes: Map<Purpose, ModelCode>
  proofs: ModelProof[]
  reuses: number
}

/** The same account in the real thing, with the secrets that the model only counts. */
export interface Real {
  accounts: Accounts
  clock: { now: () => number; advance(ms: number): void }
  email: string
  sessions: { refresh: string[]; access: string; id: string }[]
  codes: Map<Purpose, string>
  proofs: string[]
  passwords: number
  accountId: string
  /** How many commands ran. */
  steps: number
}

const client = { ip: '127.0.0.1', userAgent: null }
export const passwordOf = (number: number) => `password number ${number}`

export function freshModel(now: number): Model {
  return { now, password: 0, sessions: [], codes: new Map(), proofs: [], reuses: 0 }
}

/** The code of the refusal, or null when it was no refusal. */
async function refusal(work: Promise<unknown>): Promise<string | null> {
  try {
    await work
    return null
  } catch (error) {
    if (error instanceof AppError && error.status < 500) return error.code
    throw error
  }
}

function expectSame(actual: unknown, expected: unknown, what: string): void {
  if (actual !== expected)
    throw new Error(`${what}: got ${String(actual)}, the model says ${String(expected)}`)
}

const isLive = (model: Model, session: ModelSession) => session.isAlive && session.expiresAt > model.now

function addSession(
  model: Model,
  real: Real,
  tokens: { refreshToken: string; accessToken: string; sessionId: string },
) {
  const expiresAt = model.now + refreshMs
  const family = [{ usedAt: null, expiresAt }]
  model.sessions.push({ isAlive: true, startedAt: model.now, expiresAt, family, accessAt: model.now })
  real.sessions.push({ refresh: [tokens.refreshToken], access: tokens.accessToken, id: tokens.sessionId })
}

function endAll(model: Model, except: ModelSession | null): void {
  for (const session of model.sessions) if (session !== except) session.isAlive = false
}

function dropProofs(model: Model): void {
  model.codes.clear()
  for (const proof of model.proofs) proof.isUsed = true
}

/** Tries a code in the model: whether it is accepted, with the effect of the try. */
function tryModelCode(model: Model, purpose: Purpose, isRight: boolean): boolean {
  const code = model.codes.get(purpose)
  if (!code || code.isUsed || code.attempts >= 5 || code.sentAt + codeMs <= model.now) return false
  code.attempts++
  if (isRight) code.isUsed = true
  return isRight
}

function takeModelProof(model: Model, index: number, accepted: readonly Purpose[]): boolean {
  const proof = model.proofs[index]
  if (!proof || proof.isUsed || proof.madeAt + proofMs <= model.now || !accepted.includes(proof.purpose))
    return false
  proof.isUsed = true
  return true
}

type Command = fc.AsyncCommand<Model, Real>

function command(
  name: string,
  run: (model: Model, real: Real) => Promise<void>,
  check: (model: Model) => boolean = () => true,
): Command {
  async function counted(model: Model, real: Real): Promise<void> {
    real.steps++
    await run(model, real)
  }
  return { check, run: counted, toString: () => name }
}

const withSession = (
  run: (model: Model, real: Real, at: number) => Promise<void>,
  pick: number,
  name: string,
) =>
  command(
    `${name}(${pick})`,
    (model, real) => run(model, real, pick % model.sessions.length),
    model => model.sessions.length > 0,
  )

/** Signs in by password. */
export const signIn = (isRight: boolean) =>
  command(`signIn(${isRight})`, async (model, real) => {
    const password = isRight ? passwordOf(model.password) : 'a wrong password'
    let entered: Awaited<ReturnType<Accounts['signIn']>> | null = null
    const attempt = real.accounts.signIn({ email: real.email, password }, client).then(result => {
      entered = result
    })
    expectSame(await refusal(attempt), isRight ? null : 'INVALID_CREDENTIALS', 'signing in')
    const result = entered as Awaited<ReturnType<Accounts['signIn']>> | null
    if (result) addSession(model, real, result.tokens)
  })

/** Refreshes with the token `back` generations before the newest. */
const refresh = (pick: number, back: number) =>
  withSession(
    async (model, real, at) => {
      const [session, held] = [model.sessions[at], real.sessions[at]]
      if (!session || !held) return
      const index = Math.max(0, session.family.length - 1 - back)
      const [token, child] = [session.family[index], session.family[index + 1]]
      if (!token) return
      const expected = judge(model, session, { token, child })
      const refreshToken = held.refresh[index] ?? ''
      const answer = await real.accounts.refresh({ refreshToken, client }).catch((error: unknown) => {
        if (error instanceof AppError && error.status === 401) return null
        throw error
      })
      expectSame(answer === null, expected === 'refused' || expected === 'reused', `refreshing (${expected})`)
      if (expected === 'reused') {
        session.isAlive = false
        model.reuses++
      }
      if (!answer) return
      if (expected === 'same') expectSame(answer.refreshToken, held.refresh[index + 1], 'the same child')
      else rotate(model, session, token)
      if (expected === 'rotated') held.refresh.push(answer.refreshToken)
      held.access = answer.accessToken
      session.accessAt = model.now
    },
    pick,
    `refresh back ${back}`,
  )

/** Refreshes with the newest token several times at once: one exchange, one child, told to all. */
const refreshTogether = (pick: number, times: number) =>
  withSession(
    async (model, real, at) => {
      const [session, held] = [model.sessions[at], real.sessions[at]]
      const token = session?.family.at(-1)
      if (!session || !held || !token || judge(model, session, { token, child: undefined }) !== 'rotated')
        return
      const refreshToken = held.refresh.at(-1) ?? ''
      const together = Array.from({ length: times }, () => real.accounts.refresh({ refreshToken, client }))
      const answers = await Promise.all(together)
      const children = new Set(answers.map(answer => answer.refreshToken))
      expectSame(children.size, 1, `children of ${times} refreshes at once`)
      rotate(model, session, token)
      held.refresh.push(...children)
      held.access = answers[0]?.accessToken ?? ''
      session.accessAt = model.now
    },
    pick,
    `refresh ${times} times at once`,
  )

function judge(
  model: Model,
  session: ModelSession,
  at: { token: ModelToken; child: ModelToken | undefined },
) {
  if (!isLive(model, session)) return 'refused'
  const { token, child } = at
  if (token.usedAt === null) return token.expiresAt > model.now ? 'rotated' : 'refused'
  return child && child.usedAt === null && model.now - token.usedAt <= graceMs ? 'same' : 'reused'
}

function rotate(model: Model, session: ModelSession, token: ModelToken): void {
  token.usedAt = model.now
  const end = Math.min(model.now + refreshMs, session.startedAt + sessionMaxMs)
  session.family.push({ usedAt: null, expiresAt: end })
  session.expiresAt = Math.max(session.expiresAt, end)
}

const authenticate = (pick: number) =>
  withSession(
    async (model, real, at) => {
      const [session, held] = [model.sessions[at], real.sessions[at]]
      if (!session || !held) return
      // Token times are whole seconds.
      const isYoung = Math.floor(session.accessAt / second) * second + accessMs > model.now
      const code = await refusal(real.accounts.authenticate(held.access))
      expectSame(code === null, isYoung && isLive(model, session), `authenticating (${code})`)
    },
    pick,
    'authenticate',
  )

/** Something that only a live session may do; the deed is not tried with a dead one, as the guard would refuse it. */
const asSession = (
  name: string,
  pick: number,
  run: (model: Model, real: Real, at: number) => Promise<void>,
) =>
  withSession(
    async (model, real, at) => {
      const session = model.sessions[at]
      if (session && isLive(model, session)) await run(model, real, at)
    },
    pick,
    name,
  )

const signOut = (pick: number) =>
  asSession('signOut', pick, async (model, real, at) => {
    const session = model.sessions[at]
    await real.accounts.signOut({ accountId: real.accountId, sessionId: real.sessions[at]?.id ?? '' }, client)
    if (session) session.isAlive = false
  })

const revoke = (pick: number, other: number) =>
  asSession(`revoke ${other}`, pick, async (model, real, at) => {
    const target = other % model.sessions.length
    const session = model.sessions[target]
    const caller = { accountId: real.accountId, sessionId: real.sessions[at]?.id ?? '', client }
    const code = await refusal(real.accounts.revokeSession(caller, real.sessions[target]?.id ?? ''))
    expectSame(code, session && isLive(model, session) ? null : 'NOT_FOUND', 'revoking')
    if (session) session.isAlive = false
  })

const revokeOthers = (pick: number) =>
  asSession('revokeOthers', pick, async (model, real, at) => {
    const own = model.sessions[at] ?? null
    const expected = model.sessions.filter(session => session !== own && isLive(model, session)).length
    const caller = { accountId: real.accountId, sessionId: real.sessions[at]?.id ?? '', client }
    expectSame(await real.accounts.revokeOtherSessions(caller), expected, 'revoking others')
    endAll(model, own)
  })

const changePassword = (pick: number, isRight: boolean) =>
  asSession(`changePassword ${isRight}`, pick, async (model, real, at) => {
    const newPassword = passwordOf(++real.passwords)
    const currentPassword = isRight ? passwordOf(model.password) : 'a wrong password'
    const identity = { accountId: real.accountId, sessionId: real.sessions[at]?.id ?? '' }
    const code = await refusal(
      real.accounts.changePassword({ identity, currentPassword, newPassword }, client),
    )
    expectSame(code, isRight ? null : 'INVALID_PASSWORD', 'changing the password')
    if (isRight) changed(model, { to: real.passwords, except: model.sessions[at] ?? null })
  })

function changed(model: Model, how: { to: number; except: ModelSession | null }): void {
  model.password = how.to
  endAll(model, how.except)
  dropProofs(model)
}

const sendCode = (purpose: Purpose) =>
  command(`sendCode(${purpose})`, async (model, real) => {
    const sent = await real.accounts.requestCode({ email: real.email, purpose }, client)
    // The link beside a code is made afterwards; it must be there before the next step can drop it.
    await real.accounts.idle()
    real.codes.set(purpose, sent.code ?? '')
    model.codes.set(purpose, { sentAt: model.now, attempts: 0, isUsed: false })
  })

const typed = (real: Real, purpose: Purpose, isRight: boolean) => {
  const code = real.codes.get(purpose) ?? '000000'
  return isRight ? code : code === '000000' ? '000001' : '000000'
}

const verifyCode = (purpose: Purpose, isRight: boolean) =>
  command(`verifyCode(${purpose}, ${isRight})`, async (model, real) => {
    const isAccepted = tryModelCode(model, purpose, isRight)
    const input = { email: real.email, purpose, code: typed(real, purpose, isRight) }
    const made = await real.accounts.verifyCode(input, client).catch(onlyRefusals)
    expectSame(made !== null, isAccepted, 'verifying a code')
    if (!made) return
    real.proofs.push(made.verificationToken)
    model.proofs.push({ purpose, madeAt: model.now, isUsed: false })
  })

const signInByCode = (isRight: boolean) =>
  command(`signInByCode(${isRight})`, async (model, real) => {
    const isAccepted = tryModelCode(model, 'sign-in', isRight)
    const input = { email: real.email, code: typed(real, 'sign-in', isRight) }
    const entered = await real.accounts.signInByCode(input, client).catch(onlyRefusals)
    expectSame(entered !== null, isAccepted, 'signing in by code')
    if (entered) addSession(model, real, entered.tokens)
  })

const resetByCode = (isRight: boolean) =>
  command(`resetByCode(${isRight})`, async (model, real) => {
    const isAccepted = tryModelCode(model, 'password-reset', isRight)
    const input = {
      email: real.email,
      code: typed(real, 'password-reset', isRight),
      newPassword: passwordOf(++real.passwords),
    }
    expectSame(
      (await refusal(real.accounts.resetPassword(input, client))) === null,
      isAccepted,
      'resetting by code',
    )
    if (isAccepted) changed(model, { to: real.passwords, except: null })
  })

const resetByToken = (pick: number) =>
  command(
    `resetByToken(${pick})`,
    async (model, real) => {
      const at = pick % model.proofs.length
      const isAccepted = takeModelProof(model, at, ['password-reset'])
      const input = { verificationToken: real.proofs[at] ?? '', newPassword: passwordOf(++real.passwords) }
      expectSame(
        (await refusal(real.accounts.resetPassword(input, client))) === null,
        isAccepted,
        'resetting by token',
      )
      if (isAccepted) changed(model, { to: real.passwords, except: null })
    },
    model => model.proofs.length > 0,
  )

const changeByToken = (pick: number, proof: number) =>
  asSession(`changeByToken ${proof}`, pick, async (model, real, at) => {
    if (model.proofs.length === 0) return
    const index = proof % model.proofs.length
    const isAccepted = takeModelProof(model, index, ['verification', 'password-reset'])
    const identity = { accountId: real.accountId, sessionId: real.sessions[at]?.id ?? '' }
    const input = {
      identity,
      verificationToken: real.proofs[index] ?? '',
      newPassword: passwordOf(++real.passwords),
    }
    expectSame(
      (await refusal(real.accounts.changePassword(input, client))) === null,
      isAccepted,
      'changing by token',
    )
    if (isAccepted) changed(model, { to: real.passwords, except: model.sessions[at] ?? null })
  })

const pass = (ms: number) =>
  command(`pass(${ms} ms)`, async (model, real) => {
    real.clock.advance(ms)
    model.now += ms
  })

function onlyRefusals(error: unknown): null {
  if (error instanceof AppError && error.status < 500) return null
  throw error
}

const pick = fc.nat({ max: 5 })
const purpose = fc.constantFrom(...purposes)
const often = fc.constantFrom(true, true, true, false)
const spans = [
  1,
  second,
  9 * second,
  graceMs,
  graceMs + 1,
  codeMs - 1,
  codeMs,
  accessMs,
  proofMs,
  day,
  refreshMs - 1,
  refreshMs,
]

/** Everything that can happen to one account's sessions, codes and passwords. */
export const commands = fc.commands<Model, Real, false>(
  [
    often.map(signIn),
    fc.tuple(pick, fc.constantFrom(0, 0, 0, 1, 1, 2)).map(([at, back]) => refresh(at, back)),
    fc.tuple(pick, fc.constantFrom(0, 0, 1, 3)).map(([at, back]) => refresh(at, back)),
    fc.tuple(pick, fc.integer({ min: 2, max: 5 })).map(([at, times]) => refreshTogether(at, times)),
    pick.map(authenticate),
    pick.map(signOut),
    fc.tuple(pick, pick).map(([at, other]) => revoke(at, other)),
    pick.map(revokeOthers),
    fc.tuple(pick, often).map(([at, isRight]) => changePassword(at, isRight)),
    purpose.map(sendCode),
    fc.tuple(purpose, often).map(([what, isRight]) => verifyCode(what, isRight)),
    often.map(signInByCode),
    often.map(resetByCode),
    pick.map(resetByToken),
    fc.tuple(pick, pick).map(([at, proof]) => changeByToken(at, proof)),
    fc.constantFrom(...spans).map(pass),
  ],
  { maxCommands: 30, size: 'max' },
)

/** After a sequence: exactly the sessions that the model says are live, and exactly its reuses in the log. */
export async function compareAtTheEnd(model: Model, real: Real): Promise<void> {
  const caller = { accountId: real.accountId, sessionId: '' }
  const live = (await real.accounts.listSessions(caller)).map(session => session.id).sort()
  const expected = real.sessions.filter((_, at) => {
    const session = model.sessions[at]
    return session && isLive(model, session)
  })
  expectSame(
    live.join(),
    expected
      .map(session => session.id)
      .sort()
      .join(),
    'live sessions at the end',
  )
  const { events } = await real.accounts.securityEvents({
    accountId: real.accountId,
    kind: 'refresh-token-reused',
    limit: 100,
  })
  expectSame(events.length, model.reuses, 'reuses in the security log')
}
