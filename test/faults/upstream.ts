import { setTimeout as sleep } from 'node:timers/promises'
import type { ProviderRequest } from '../provider/index.ts'
import { audit, query, readStored, type StoredGeneration } from './audit.ts'
import { until } from './client.ts'
import { different } from './judge.ts'
import { Report } from './report.ts'
import { type Trouble, troubles } from './troubles.ts'
import { Turn } from './turn.ts'
import { type Conversation, type WireName, wires } from './wires.ts'
import { openWorld, personFor, serverFor, type World } from './worlds.ts'

const words = 60
const closeLimitMs = 2000

export interface UpstreamOptions {
  rounds: number
  /** Names of troubles; all of them unless told. */
  only?: readonly string[]
}

/** Each trouble on each wire, `rounds` times; wires use different providers, in another order each time. */
export async function runUpstream({ rounds, only }: UpstreamOptions): Promise<Report> {
  const chosen = troubles.filter(({ name }) => only === undefined || only.includes(name))
  const report = new Report(
    `${chosen.length} kinds of trouble upstream on ${Object.keys(wires).length} wires`,
  )
  const isTimed = chosen.some(({ code }) => code === 'PROVIDER_TIMEOUT')
  const env = { ...settings, ...(isTimed ? deadlines : {}) }
  const world = await openWorld('embedded', { report, people: Object.keys(wires).length, env })
  try {
    for (let round = 0; round < rounds; round++) {
      const names = Object.keys(wires) as WireName[]
      await Promise.all(names.map((wire, index) => tryWire(report, world, { chosen, wire, index, round })))
      await audit(world.source, report)
    }
    for (const bug of world.stage.bugs()) report.fail(`logged: ${bug.slice(0, 600)}`)
  } finally {
    await world.stage.close()
  }
  return report
}

/** Only where one of them is awaited: a server that stands still for a moment would find the others' answers too late. */
const deadlines = {
  MODEL_FIRST_TOKEN_TIMEOUT_MS: '800',
  MODEL_SILENCE_TIMEOUT_MS: '800',
  MODEL_TOTAL_TIMEOUT_MS: '4000',
}

const settings = {
  PROVIDER_JOBS_PER_MINUTE: '100000',
  ANTHROPIC_API_KEY: 'a-key-of-nobody',
  GEMINI_API_KEY: 'a-key-of-nobody',
  OPENROUTER_API_KEY: 'a-key-of-nobody',
}

const providers = ['openai', 'anthropic', 'gemini', 'openrouter']

interface Path {
  chosen: readonly Trouble[]
  wire: WireName
  index: number
  round: number
}

/** All troubles on one wire; after each the next message must be answered, which also keeps the breaker closed. */
async function tryWire(report: Report, world: World, { chosen, wire, index, round }: Path): Promise<void> {
  const model = `${providers[(index + round) % providers.length]}/scripted`
  for (const [number, each] of chosen.entries()) {
    const trouble = on(model, each)
    const tag = `${wire}.${round}.${number}`
    const options = {
      person: personFor(world, index),
      model,
      words,
      intervalMs: 0,
      kind: wire === 'polling' ? 'job' : 'stream',
    } as const
    const turn = new Turn({
      ...options,
      tag,
      script: trouble.script,
      ...(trouble.act === 'leave' ? { onDisconnect: 'cancel' as const } : {}),
    })
    const told = `${trouble.name} on ${wire} (${model})`
    try {
      const at = await happen(world, turn, { trouble, wire })
      if (at !== null)
        await judgeTrouble(report, world, { turn, trouble, told, isJob: wire === 'polling', at })
      const next = new Turn({ ...options, tag: `${tag}-next` })
      await (await wires[wire](next, serverFor(world, 0, 0))).done
      report.check(
        next.text === next.fullText,
        () => `after ${told}: the next answer ended as ${JSON.stringify(next.end)}`,
      )
    } catch (error) {
      report.fail(`${told}: ${error instanceof Error ? error.stack : error}`)
    }
  }
}

/** Anthropic has no word for a blocked prompt: the model refuses, which is an answer. */
function on(model: string, trouble: Trouble): Trouble {
  const isAnswer = trouble.code === 'CONTENT_FILTERED' && model.startsWith('anthropic/')
  return isAnswer ? { ...trouble, status: 'completed', code: null } : trouble
}

interface Happening {
  trouble: Trouble
  wire: WireName
}

/**
 * Lets the trouble happen; gives when the provider's connection is of no more use, null when a wire has no such trouble.
 */
async function happen(world: World, turn: Turn, { trouble, wire }: Happening): Promise<number | null> {
  if (trouble.act === 'leave' && wire === 'polling') return null
  const conversation = await wires[wire](turn, serverFor(world, 0, 0))
  let at = 0
  conversation.done.catch(() => {})
  if (trouble.act) {
    const isSpeaking = (requests: ProviderRequest[]) =>
      requests.some(each => isFor(turn, each) && each.tokensSent > 5)
    await world.stage.provider.waitFor(isSpeaking, 10_000)
    // Its question is stored by now or soon: what is asked for by its number has to have one.
    await until(async () => (await idOf(world, turn)) !== '', `${turn.options.tag} has an id`)
    at = Date.now()
    await act(conversation, trouble.act)
  }
  if (trouble.act !== 'leave') await conversation.done
  return at || Date.now()
}

async function act(conversation: Conversation, what: 'cancel' | 'leave'): Promise<void> {
  if (what === 'cancel') await conversation.cancel()
  else conversation.leave?.()
}

const isFor = (turn: Turn, { prompt }: ProviderRequest) => prompt.startsWith(`${turn.options.tag} `)

interface Happened {
  turn: Turn
  trouble: Trouble
  told: string
  isJob: boolean
  /** When the provider's connection was of no more use. */
  at: number
}

async function judgeTrouble(report: Report, world: World, happened: Happened): Promise<void> {
  const { turn, trouble, told } = happened
  const row = await endOf(world, turn)
  report.count('troubles')
  report.trials(1, 'troubles')
  if (!row) return report.fail(`${told}: there is no such generation`)
  report.check(
    row.status === trouble.status,
    () => `${told}: ended as ${row.status} ${JSON.stringify(row.error)}, not ${trouble.status}`,
  )
  const code = row.error?.code ?? null
  report.check(code === trouble.code, () => `${told}: ended with ${code}, not ${trouble.code}`)
  if (trouble.act !== 'leave') {
    report.check(
      turn.text === row.content,
      () => `${told}: read and stored differ ${different(turn.text, row.content)}`,
    )
    report.check(
      turn.end?.costMicroCredits === row.costMicroCredits,
      () => `${told}: told cost ${turn.end?.costMicroCredits}, stored ${row.costMicroCredits}`,
    )
  }
  for (const problem of turn.problems) report.fail(`${told}: ${problem}`)
  const toldCode = turn.end?.error?.code ?? null
  report.check(
    turn.end === null || toldCode === trouble.code,
    () => `${told}: the client was told ${toldCode}`,
  )
  judgeCharge(report, turn, { row, told })
  await judgeCalls(report, world, { ...happened, row })
}

/** Free before the first token; then the price of what was received. */
function judgeCharge(
  report: Report,
  turn: Turn,
  { row, told }: { row: StoredGeneration; told: string },
): void {
  // What it says that it counted: nothing was received.
  if (row.status === 'completed') return
  if (row.status === 'failed') {
    report.check(
      row.costMicroCredits === 0 && row.content === '',
      () => `${told}: costs ${row.costMicroCredits}`,
    )
    return
  }
  const output = Math.ceil(row.content.length / 4)
  // Some providers count the prompt at once; it is estimated where none has.
  const inputs = [12, Math.ceil(turn.message.length / 4)]
  const { inputTokens, outputTokens, costMicroCredits } = row
  report.check(
    outputTokens === output && inputs.includes(inputTokens ?? -1),
    () => `${told}: counted ${inputTokens} in and ${outputTokens} out`,
  )
  const cost = Math.ceil(((inputTokens ?? 0) * inputPrice + (outputTokens ?? 0) * outputPrice) / 1000)
  report.check(
    costMicroCredits === cost && cost > 0,
    () => `${told}: costs ${costMicroCredits}, right is ${cost}`,
  )
}

/** Of models that are in no price list. */
const inputPrice = 300_000
const outputPrice = 1_500_000

/** The provider was asked as often as is right, said what is stored, and its connection is closed. */
async function judgeCalls(
  report: Report,
  world: World,
  happened: Happened & { row: StoredGeneration },
): Promise<void> {
  const { turn, trouble, told, isJob, row, at } = happened
  const isOpen = (each: ProviderRequest) => each.finishedAt === null && each.clientClosedAt === null
  const mine = async () => (await world.stage.provider.requests()).filter(each => isFor(turn, each))
  await until(
    async () => !(await mine()).some(isOpen),
    `${told}: the end of the connection`,
    closeLimitMs + 3000,
  )
  const requests = await mine()
  const calls = isJob ? (trouble.jobCalls ?? trouble.calls) : trouble.calls
  report.check(
    requests.length === calls,
    () => `${told}: the provider was asked ${requests.length} times, right is ${calls}`,
  )
  const last = requests.at(-1)
  const kept = row.content === '' ? 0 : row.content.split(' ').length
  const isSaid = turn.fullText.startsWith(row.content) && kept <= (last?.tokensSent ?? 0)
  report.check(isSaid, () => `${told}: ${kept} words kept, ${last?.tokensSent} said`)
  if (last?.clientClosedAt)
    report.time(
      'provider let go after the end or the cancel',
      Math.max(0, last.clientClosedAt - at),
      closeLimitMs,
    )
}

/** What is stored, once it has ended. */
async function endOf({ source, ...world }: World, turn: Turn): Promise<StoredGeneration | undefined> {
  for (let tries = 0; tries < 50; tries++) {
    const row = (await readStored(source, [await idOf({ source, ...world }, turn)].filter(Boolean))).get(
      turn.generationId,
    )
    if (row && !['queued', 'running'].includes(row.status)) return row
    await sleep(100)
  }
  return undefined
}

/** A client that left before it was told the id can be known by its message. */
async function idOf({ source }: World, turn: Turn): Promise<string> {
  if (turn.generationId !== '') return turn.generationId
  const text = 'select g.id from generations g join messages m on m.id = g.message_id where m.content = $1'
  const [row] = await query<{ id: string }>(source, text, [turn.message])
  turn.generationId = row?.id ?? ''
  return turn.generationId
}
