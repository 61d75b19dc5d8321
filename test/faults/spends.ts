import { audit, query } from './audit.ts'
import { call, eventsOf, type Json, type Person, Refusal, request, signUp } from './client.ts'
import { Report } from './report.ts'
import { type Mode, openWorld, type World } from './worlds.ts'

export interface SpendOptions {
  rounds: number
  /** Submits that begin together in a round. */
  parallel?: number
}

const affordable = 3
const longestAnswer = 100

/** Asks once by some route; the id of what was accepted, or null when it was refused for lack of credits. */
type Route = (url: string, person: Person, conversationId: string) => Promise<string | null>

const asked = { message: 'Hello', model: 'openai/stall', maxOutputTokens: longestAnswer }

const routes: readonly Route[] = [
  (url, person) => asStream(url, person, asked),
  (url, person, conversationId) => asStream(url, person, { ...asked, conversationId }),
  async (url, person) =>
    (await call(url, { path: '/generations', person, body: { ...asked, background: true } })).generation.id,
]

async function asStream(url: string, person: Person, body: object): Promise<string | null> {
  const leave = new AbortController()
  const response = await request(url, { path: '/generations', person, body, signal: leave.signal })
  try {
    for await (const events of eventsOf(response)) return events[0]?.generationId ?? null
    return null
  } finally {
    leave.abort()
  }
}

/**
 * Rounds of parallel spending by an account that can afford three: exactly three are accepted, whatever the route and
 * the server, and the balance is what it was once they are cancelled, for nothing was said.
 */
export async function runSpends(mode: Mode, { rounds, parallel = 50 }: SpendOptions): Promise<Report> {
  const report = new Report(`${parallel} submits at once for ${affordable} that can be paid (${mode})`)
  const world = await openWorld(mode, { report, people: 1, env: patience })
  try {
    for (let round = 0; round < rounds; round += batch) {
      const people = await Promise.all(
        Array.from({ length: Math.min(batch, rounds - round) }, () => rich(world)),
      )
      for (const poor of people) await spend(report, world, { ...poor, parallel })
      await audit(world.source, report)
    }
    for (const bug of world.stage.bugs()) report.fail(`logged: ${bug.slice(0, 600)}`)
    report.trials(rounds, 'rounds of parallel spending')
  } finally {
    await world.stage.close()
  }
  return report
}

/** An account is used for so many rounds' worth of others, then the whole database is audited. */
const batch = 50

const patience = {
  MODEL_FIRST_TOKEN_TIMEOUT_MS: '60000',
  PROVIDER_JOBS_PER_MINUTE: '10000000',
  WORKER_CONCURRENCY: '200',
}

interface Spender {
  person: Person
  conversationId: string
  balance: number
}

/** A new account whose balance pays for three answers of the longest kind, and not for a fourth. */
async function rich(world: World): Promise<Spender> {
  const { url } = serverOf(world, 0)
  const person = await signUp(url)
  const { conversation } = await call(url, { path: '/conversations', person, body: {} })
  const id = await asStream(url, person, asked)
  await cancel(url, person, id)
  const [hold] = await query<{ amount: string }>(
    world.source,
    `select -amount_micro_credits as amount from ledger_entries where generation_id = $1 and kind = 'hold'`,
    [id],
  )
  // A prompt with one more stored question is longer: three and a half leaves room for that, four would not fit.
  const balance = Math.floor(Number(hold?.amount) * (affordable + 0.5))
  await query(
    world.source,
    `select enter_credits($1, 'adjustment', $2::bigint - micro_credits, null, 'for a test', null) from balances where account_id = $1`,
    [person.accountId, balance],
  )
  return { person, conversationId: conversation.id, balance }
}

async function spend(
  report: Report,
  world: World,
  { person, conversationId, balance, parallel }: Spender & { parallel: number },
): Promise<void> {
  const answers = await Promise.all(
    Array.from({ length: parallel }, async (_, index) => {
      const route = routes[index % routes.length] as Route
      try {
        return await route(serverOf(world, index).url, person, conversationId)
      } catch (error) {
        if (error instanceof Refusal && error.code === 'INSUFFICIENT_CREDITS') return null
        report.fail(`a submit was answered ${(error as Error).message}`)
        return null
      }
    }),
  )
  const accepted = answers.filter(answer => answer !== null)
  report.count('submits', answers.length)
  report.count('accepted', accepted.length)
  report.check(accepted.length === affordable, () => `${accepted.length} of ${parallel} were accepted`)
  await Promise.all(accepted.map((id, index) => cancel(serverOf(world, index).url, person, id)))
  const { entitlements } = await call(serverOf(world, 1).url, { path: '/entitlements', person })
  const { credits } = entitlements as Json
  report.check(
    credits.balanceMicroCredits === balance && credits.heldMicroCredits === 0,
    () => `${credits.balanceMicroCredits} left of ${balance}, ${credits.heldMicroCredits} held`,
  )
}

async function cancel(url: string, person: Person, id: string | null): Promise<void> {
  await call(url, { path: `/generations/${id}/cancel`, person, body: {} })
}

function serverOf(world: World, index: number) {
  const server = world.servers[index % world.servers.length]
  if (!server) throw new Error('a world has servers')
  return server
}
