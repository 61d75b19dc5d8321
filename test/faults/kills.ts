import { randomInt } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { audit } from './audit.ts'
import { call } from './client.ts'
import { endLimitMs, judge } from './judge.ts'
import { Report } from './report.ts'
import { Turn } from './turn.ts'
import { type Mode, openWorld, personFor, serverFor, type World } from './worlds.ts'

export interface KillOptions {
  kills: number
  streams: number
  /** So many systems side by side: most of a kill's time is waiting. */
  lanes: number
}

const words = 120
const intervalMs = 40
/** Within this time all messages of a round are sent. */
const arrivalMs = 800

const names: Record<Mode, string> = {
  embedded: 'kill -9 of the server, one process on its embedded Postgres',
  distributed: 'kill -9 of servers and workers in turn, two servers and a worker on Postgres and Redis',
}

/** Kills processes at random moments of running answers, starts them again, and looks after each kill at everything. */
export async function runKills(mode: Mode, options: KillOptions): Promise<Report> {
  const report = new Report(names[mode])
  const lanes = Math.min(options.lanes, options.kills)
  let left = options.kills
  await Promise.all(
    Array.from({ length: lanes }, async (_, lane) => {
      const world = await openWorld(mode, { report, people: Math.max(2, Math.ceil(options.streams / 4)) })
      try {
        for (let round = 0; left > 0; round++) {
          left--
          await killOnce(report, world, { tag: `l${lane}r${round}`, streams: options.streams, round })
        }
        for (const bug of world.stage.bugs()) report.fail(`logged: ${bug.slice(0, 600)}`)
      } finally {
        await world.stage.close()
      }
    }),
  )
  return report
}

interface Round {
  tag: string
  streams: number
  round: number
}

async function killOnce(report: Report, world: World, { tag, streams, round }: Round): Promise<void> {
  const { servers, stage, worker } = world
  const victims = [...servers, ...(worker ? [worker] : [])]
  const victim = victims[round % victims.length]
  if (!victim) throw new Error('nobody to kill')
  const turns = Array.from({ length: streams }, (_, index) => turnOf(world, tag, index))
  // The last word comes about this long after the last message was sent.
  const killAfterMs = randomInt(50, words * intervalMs + arrivalMs)
  let giveUpAt = Number.POSITIVE_INFINITY
  const lives = turns.map(async (turn, index) => {
    await sleep(randomInt(arrivalMs))
    await turn.live(
      attempt => serverFor(world, index, attempt),
      () => giveUpAt,
    )
  })
  await sleep(killAfterMs)
  await victim.kill()
  const at = victim.diedAt
  await victim.restart()
  const wholeAt = Date.now()
  report.count(`kills of a ${victim === worker ? 'worker' : 'server'}`)
  report.time('ready again after a kill', wholeAt - at)
  giveUpAt = wholeAt + endLimitMs
  await Promise.all(lives)
  const url = servers[0]?.url ?? ''
  const requests = await stage.provider.requests()
  const fault = { at, wholeAt, server: victim.url, killsJobs: worker === null || victim === worker }
  await judge(report, { turns, fault, source: world.source, requests, url })
  await goOn(report, world, { turns, tag })
  await audit(world.source, report)
  await stage.provider.clear()
  report.trials(1, 'kills')
  report.trials(
    turns.filter(turn => turn.isAccepted && turn.acceptedAt <= at && turn.endedAt >= at).length,
    'messages in flight',
  )
}

function turnOf(world: World, tag: string, index: number): Turn {
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
  const url = world.servers.at(-1)?.url ?? ''
  const next = turns.find(turn => turn.end?.status === 'completed') ?? turns[0]
  const cut = turns.find(turn => turn.end?.status === 'interrupted')
  if (next) {
    const body = { message: `${tag}-next [[script:ok]]`, conversationId: next.conversationId, stream: false }
    const { generation, reply } = await call(url, { path: '/generations', person: next.options.person, body })
    report.check(
      generation.status === 'completed' && reply.content !== '',
      () => `${tag}: the next message ended as ${generation.status}`,
    )
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
    report.check(
      generation.status === 'completed' && isLonger,
      () => `${tag}: going on ended as ${generation.status}`,
    )
    report.count('interrupted answers continued')
  }
}
