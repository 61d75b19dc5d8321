import { randomInt } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { openIo, openSocket } from '../support/sockets.ts'
import { audit, readStored } from './audit.ts'
import { different } from './judge.ts'
import { Report } from './report.ts'
import { Turn } from './turn.ts'
import { type Mode, openWorld, personFor, serverFor, type World } from './worlds.ts'

export interface CutOptions {
  /** So many cuts in all. */
  cuts: number
  /** Followers at the same time. */
  followers: number
}

const words = 150
const intervalMs = 20
const longestStayMs = 160

/**
 * Followers that leave at any moment and come back from where they were: to each server in turn, by `Last-Event-ID`,
 * `after=`, both sockets and polling. What each of them has read in the end is what is stored: no gap, no repeat.
 */
export async function runCuts(mode: Mode, { cuts, followers }: CutOptions): Promise<Report> {
  const report = new Report(`cut and resume, ${mode}`)
  const world = await openWorld(mode, { report, people: 4 })
  let left = cuts
  try {
    for (let round = 0; left > 0; round++) {
      const turns = Array.from({ length: followers }, (_, index) => {
        // Half of the answers are written by the server, half by a worker.
        const kind = index % 2 === 0 ? 'stream' : 'job'
        return new Turn({
          tag: `c${round}m${index}`,
          person: personFor(world, index),
          kind,
          words,
          intervalMs,
        })
      })
      await Promise.all(
        turns.map(async (turn, index) => {
          const made = await cutOften(report, world, turn, index)
          left -= made
        }),
      )
      await compare(report, world, turns)
    }
    await audit(world.source, report)
    for (const bug of world.stage.bugs()) report.fail(`logged: ${bug.slice(0, 600)}`)
  } finally {
    await world.stage.close()
  }
  return report
}

/** Reads one answer in many pieces; gives how often it left. */
async function cutOften(report: Report, world: World, turn: Turn, index: number): Promise<number> {
  while (turn.generationId === '') {
    const stay = AbortSignal.timeout(150 + randomInt(longestStayMs))
    await turn.submit(serverFor(world, index, 0), stay).catch(onlyTimeouts)
  }
  const deadline = Date.now() + 60_000
  let cuts = 0
  for (let attempt = 1; turn.end === null && turn.problems.length === 0; attempt++) {
    const way = ways[(index + attempt) % ways.length]
    if (!way) break
    await way(turn, serverFor(world, index, attempt), randomInt(5, longestStayMs)).catch(error => {
      turn.problems.push(`${turn.options.tag}: ${error}`)
    })
    if (turn.end === null) cuts++
    if (Date.now() > deadline) turn.problems.push(`${turn.options.tag} never ended`)
  }
  report.count('cuts', cuts)
  report.trials(cuts, 'cuts')
  return cuts
}

/** Comes back, stays for a while, and leaves. */
type Way = (turn: Turn, url: string, stayMs: number) => Promise<void>

const ways: readonly Way[] = [byEvents(true), byEvents(false), byWebSocket, bySocketIo, byPolling]

function byEvents(asHeader: boolean): Way {
  return (turn, url, stayMs) =>
    turn.follow(url, { signal: AbortSignal.timeout(stayMs), asHeader }).catch(onlyTimeouts)
}

function onlyTimeouts(error: unknown): void {
  if (!(error instanceof Error && error.name === 'TimeoutError')) throw error
}

async function byWebSocket(turn: Turn, url: string, stayMs: number): Promise<void> {
  const headers = { authorization: `Bearer ${turn.options.person.token}` }
  const socket = await openSocket(`${url}/api/v1/socket`, { headers })
  await socket.ask({ type: 'follow', generationId: turn.generationId, after: turn.position })
  await sleep(stayMs)
  socket.webSocket.terminate()
  turn.take(socket.events(turn.generationId))
}

async function bySocketIo(turn: Turn, url: string, stayMs: number): Promise<void> {
  const io = await openIo(url, { auth: { token: turn.options.person.token } })
  await io.ask('resume', { generationId: turn.generationId, after: turn.position })
  await sleep(stayMs)
  io.close()
  turn.take(io.events(turn.generationId))
}

async function byPolling(turn: Turn, url: string, stayMs: number): Promise<void> {
  await turn.poll(url)
  await sleep(stayMs / 4)
}

/** What followers have is what is stored, to the last character. */
async function compare(report: Report, world: World, turns: readonly Turn[]): Promise<void> {
  const stored = await readStored(world.source, turns.map(turn => turn.generationId).filter(Boolean))
  for (const turn of turns) {
    const { tag } = turn.options
    const content = stored.get(turn.generationId)?.content ?? ''
    for (const problem of turn.problems) report.fail(problem)
    report.check(
      turn.text === content,
      () => `${tag}: read and stored differ ${different(turn.text, content)}`,
    )
    report.check(
      content === turn.fullText,
      () => `${tag}: stored and said differ ${different(content, turn.fullText)}`,
    )
    report.check(turn.snapshots === 0 && turn.restarts === 0, () => `${tag}: was told to begin anew`)
    report.count('answers read in pieces')
  }
}
