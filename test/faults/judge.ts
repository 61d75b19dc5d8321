import type { ProviderRequest } from '../provider/index.ts'
import { type ConnectionSource, countMessages, readStored, type StoredGeneration } from './audit.ts'
import { call } from './client.ts'
import type { Report } from './report.ts'
import type { Turn } from './turn.ts'

/** What happened to the processes while turns were running. */
export interface Fault {
  /** When it happened, and when everything ran again; milliseconds since the epoch. */
  at: number
  wholeAt: number
  /** The server that died, if one did: answers that it wrote for waiting clients end there. */
  server: string | null
  /** Whether a process died that runs jobs: then a job may be asked of the model once more. */
  killsJobs: boolean
  /** How such answers end: with which error, and how much of their newest text may be lost. Null: they go on. */
  cut: { code: string | null; lossMs: number } | null
}

/** How long until everything has ended after the system is whole again. */
export const endLimitMs = 60_000
export interface Judgement {
  turns: readonly Turn[]
  fault: Fault
  source: ConnectionSource
  requests: readonly ProviderRequest[]
  /** A server that runs. */
  url: string
}

/** Compares what clients saw, what is stored and what the provider was asked; reports all that does not fit. */
export async function judge(report: Report, judgement: Judgement): Promise<void> {
  const { turns, source, fault, requests, url } = judgement
  const stored = await readStored(source, turns.map(turn => turn.generationId).filter(Boolean))
  const counts = await countMessages(
    source,
    turns.map(turn => turn.message),
  )
  for (const turn of turns) {
    const { tag } = turn.options
    for (const problem of turn.problems) report.fail(problem)
    report.count('messages sent')
    if (!turn.isAccepted) continue
    report.count('messages accepted')
    const count = counts.get(turn.message) ?? 0
    report.check(count === 1, () => `${tag}: its message is stored ${count} times`)
    const row = stored.get(turn.generationId)
    if (!row) report.fail(`${tag}: accepted as ${turn.generationId}, but there is no row`)
    else {
      judgeEnd(report, { turn, row, fault })
      judgeCalls(report, { turn, row, fault }, requests)
      await judgeReplay(report, { turn, row }, url)
    }
  }
}

interface Ended {
  turn: Turn
  row: StoredGeneration
  fault: Fault
}

/** The end is the right one, came in time, and what the client has is what is stored. */
function judgeEnd(report: Report, { turn, row, fault }: Ended): void {
  const { tag, kind } = turn.options
  const isOpen = turn.acceptedAt <= fault.at && (turn.endedAt === 0 || turn.endedAt >= fault.at)
  if (isOpen) report.count('messages in flight at the fault')
  if (turn.end === null) return
  report.check(turn.end.status === row.status, () => `${tag}: told ${turn.end.status}, stored ${row.status}`)
  report.check(
    turn.text === row.content,
    () =>
      `${tag}: read ${turn.text.length} characters, stored ${row.content.length}: ${different(turn.text, row.content)}`,
  )
  if (isOpen)
    report.time(
      `end after all is whole again (${kind})`,
      Math.max(0, turn.endedAt - fault.wholeAt),
      endLimitMs,
    )
  const mayBeCut =
    fault.cut !== null && kind === 'stream' && turn.sentTo === fault.server && turn.sentAt <= fault.wholeAt
  if (mayBeCut && row.status === 'interrupted') judgeCut(report, { turn, row, fault })
  else {
    report.check(
      row.status === 'completed',
      () => `${tag}: a ${kind} ended as ${row.status} ${JSON.stringify(row.error)}`,
    )
    report.check(
      row.content === turn.fullText,
      () => `${tag}: not what the model said: ${different(row.content, turn.fullText)}`,
    )
    report.count(`${kind}s completed`)
  }
}

/** An interrupted answer is the beginning of what the model said, but for about its last second. */
function judgeCut(report: Report, { turn, row, fault }: Ended): void {
  const { tag } = turn.options
  report.count('streams interrupted')
  report.check(
    turn.fullText.startsWith(row.content),
    () => `${tag}: kept what the model did not say: ${different(row.content, turn.fullText)}`,
  )
  const code = row.error?.code ?? null
  // A process that stops in order says so itself; one that dies while it does so is found.
  report.check(code === null || code === fault.cut?.code, () => `${tag}: interrupted by ${code}`)
  const isWhole = fault.cut?.lossMs !== 0 || turn.snapshots === 0
  report.check(isWhole, () => `${tag}: text that was told is lost, although its process had time`)
  report.time('text lost before the kill', turn.ageOf(row.content.length, fault.at), fault.cut?.lossMs)
}

/** The model was asked once for each message, and once more for a job whose process died. */
function judgeCalls(report: Report, { turn, row, fault }: Ended, requests: readonly ProviderRequest[]): void {
  const asked = requests.filter(({ prompt }) => prompt.startsWith(`${turn.options.tag} `))
  const allowed = turn.options.kind === 'job' && fault.killsJobs ? 2 : 1
  report.count('calls of the model', asked.length)
  report.check(
    asked.length <= allowed,
    () =>
      `${turn.options.tag}: the model was asked ${asked.length} times, allowed are ${allowed}; attempts ${row.attempts}`,
  )
  if (asked.length > 1) report.count('jobs done by a second attempt')
  const said = Math.max(0, ...asked.map(({ tokensSent }) => tokensSent))
  const words = row.content === '' ? 0 : row.content.split(' ').length
  report.check(words <= said, () => `${turn.options.tag}: ${words} words stored, the model said ${said}`)
}

/** A client that comes for the first time reads from the stored log what is stored. */
async function judgeReplay(report: Report, { turn, row }: Omit<Ended, 'fault'>, url: string): Promise<void> {
  const { person } = turn.options
  const page = await call(url, { path: `/generations/${turn.generationId}/events?after=0`, person })
  let text = ''
  for (const event of page.events) {
    if (event.type === 'generation-restart') text = ''
    if (event.type === 'text-delta') text += event.text
  }
  report.check(
    page.done && text === row.content,
    () => `${turn.options.tag}: the log says ${different(text, row.content)}`,
  )
  const ends = page.events.filter((event: { type: string }) => event.type === 'generation-end').length
  report.check(ends === 1, () => `${turn.options.tag}: ${ends} ends in its log`)
}

/** Where two texts begin to differ. */
export function different(one: string, other: string): string {
  let at = 0
  while (at < one.length && one[at] === other[at]) at++
  if (at === one.length && at === other.length) return 'the same'
  return `at ${at} of ${one.length}/${other.length}: "${one.slice(at, at + 30)}" / "${other.slice(at, at + 30)}"`
}
