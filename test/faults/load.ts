import { randomInt } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { audit } from './audit.ts'
import { call } from './client.ts'
import { endLimitMs, type Fault, judge } from './judge.ts'
import { Report } from './report.ts'
import { Turn } from './turn.ts'
import { type Mode, openWorld, personFor, serverFor, type World } from './worlds.ts'

/** Something that goes wrong while answers are being written. */
export interface Strike {
  name: string
  modes: readonly Mode[]
  /** Set for every process, beside what the suite always sets. */
  env?: Record<string, string>
  /** How long answers are, at 25 words a second; 120 unless told. */
  words?: number
  /** Done once for each system, before anything is asked. */
  prepare?(world: World): Promise<void>
  /** Makes the fault, and resolves when everything that was lost is there again. */
  strike(world: World, report: Report, round: number): Promise<Fault>
}

export interface LoadOptions {
  /** How often it strikes. */
  rounds: number
  /** Messages in flight at each strike: half with a waiting client, half as jobs. */
  streams: number
  /** So many systems side by side: most of a round's time is waiting. */
  lanes: number
}

const intervalMs = 40
/** Within this time all messages of a round are sent. */
const arrivalMs = 800

/** Lets a fault strike at random moments of running answers, and looks after each at everything. */
export async function runStrikes(mode: Mode, strike: Strike, options: LoadOptions): Promise<Report> {
  const report = new Report(`${strike.name}, ${mode}`)
  let left = options.rounds
  const people = Math.max(2, Math.ceil(options.streams / 4))
  const lanes = Array.from({ length: Math.min(options.lanes, options.rounds) }, async (_, lane) => {
    const world = await openWorld(mode, { report, people, env: strike.env ?? {} })
    try {
      await strike.prepare?.(world)
      for (let round = lane; left > 0; round++) {
        left--
        await strikeOnce(report, world, { strike, tag: `l${lane}r${round}`, streams: options.streams, round })
      }
      for (const bug of world.stage.bugs()) report.fail(`logged: ${bug.slice(0, 600)}`)
    } finally {
      await world.stage.close()
    }
  })
  const failed = (await Promise.allSettled(lanes)).flatMap(lane =>
    lane.status === 'rejected' ? [lane.reason] : [],
  )
  for (const reason of failed)
    report.fail(`the suite itself: ${reason instanceof Error ? reason.stack : reason}`)
  return report
}

interface Round {
  strike: Strike
  tag: string
  streams: number
  round: number
}

async function strikeOnce(
  report: Report,
  world: World,
  { strike, tag, streams, round }: Round,
): Promise<void> {
  const { words = 120 } = strike
  const turns = Array.from({ length: streams }, (_, index) => turnOf(world, { tag, index, words }))
  let giveUpAt = Number.POSITIVE_INFINITY
  const lives = turns.map(async (turn, index) => {
    await sleep(randomInt(arrivalMs))
    await turn.live(
      attempt => serverFor(world, index, attempt),
      () => giveUpAt,
    )
  })
  // The last word comes about this long after the last message was sent.
  await sleep(randomInt(50, words * intervalMs + arrivalMs))
  const fault = await strike.strike(world, report, round)
  giveUpAt = fault.wholeAt + endLimitMs
  await Promise.all(lives)
  const requests = await world.stage.provider.requests()
  const url = serverFor(world, 0, 0)
  await judge(report, { turns, fault, source: world.source, requests, url })
  await goOn(report, world, { turns, tag })
  await audit(world.source, report)
  await world.stage.provider.clear()
  report.count('strikes')
  report.trials(1, 'strikes')
  const inFlight = turns.filter(
    turn => turn.isAccepted && turn.acceptedAt <= fault.at && turn.endedAt >= fault.at,
  )
  report.trials(inFlight.length, 'messages in flight')
}

function turnOf(world: World, { tag, index, words }: { tag: string; index: number; words: number }): Turn {
  const person = personFor(world, index)
  // Each server gets as many of both.
  const kind = Math.floor(index / world.servers.length) % 2 === 0 ? 'stream' : 'job'
  return new Turn({
    tag: `${tag}m${index}`,
    person,
    kind,
    words,
    intervalMs,
    polls: [5, 6].includes(index % 8),
  })
}

/** After a fault people can go on: with their next message, and with an answer that was cut. */
async function goOn(
  report: Report,
  world: World,
  { turns, tag }: { turns: readonly Turn[]; tag: string },
): Promise<void> {
  const url = serverFor(world, 1, 0)
  const next = turns.find(turn => turn.end?.status === 'completed') ?? turns[0]
  const cut = turns.find(turn => turn.end?.status === 'interrupted')
  if (next) {
    const body = { message: `${tag}-next [[script:ok]]`, conversationId: next.conversationId, stream: false }
    const { generation, reply } = await call(url, { path: '/generations', person: next.options.person, body })
    const isAnswered = generation.status === 'completed' && reply.content !== ''
    report.check(isAnswered, () => `${tag}: the next message ended as ${generation.status}`)
    report.count('next messages answered')
  }
  if (cut) {
    const path = `/generations/${cut.generationId}/continue`
    const { generation, reply } = await call(url, {
      path,
      person: cut.options.person,
      body: { stream: false },
    })
    const isLonger = reply.content.startsWith(cut.text) && reply.content.length > cut.text.length
    const isContinued = generation.status === 'completed' && isLonger
    report.check(isContinued, () => `${tag}: going on ended as ${generation.status}`)
    report.count('interrupted answers continued')
  }
}
