import { AppError } from '../../lib/errors.ts'
import type { ObservedRun, RunObserver } from '../generations/index.ts'
import type { Checker } from './checker.ts'
import { type ForgiveDeps, forgiveTurn, mostRepairs } from './forgive.ts'
import { repairText } from './prompt.ts'
import { splitReply } from './reply.ts'
import type { Report } from './schema.ts'
import { insertVersion, markFinal, type Plugin, readPluginOf } from './store.ts'
import { endTurn, insertRun, type Outcome, readTurnOfRun, type Turn } from './store-turns.ts'

export interface ObserveDeps extends ForgiveDeps {
  checker: Checker
}

/**
 * Watches the runs of plugins. When one ends, its code is checked and kept as a version, told as `check-done {version,
 * errors, warnings, isFinal, repair}`, and errors go back to the model as the next run of the turn.
 */
export function observePlugins(deps: ObserveDeps, run: ObservedRun): RunObserver | null {
  if (run.kind !== 'plugin' || run.conversationId === null) return null
  return {
    text() {},
    async end({ status, text }) {
      // It is run again elsewhere; that attempt looks after the turn.
      if (status === 'queued') return
      await finishRun(deps, run, { status, content: run.prefix + text })
    },
  }
}

type EndedRun = Pick<
  ObservedRun,
  'generationId' | 'accountId' | 'conversationId' | 'messageId' | 'replyId' | 'emit'
>

/** What follows from a run that has ended, or was found dead. A turn always ends, whatever fails on the way. */
export async function finishRun(
  deps: ObserveDeps,
  run: EndedRun,
  { status, content }: { status: string; content: string },
): Promise<void> {
  const plugin = run.conversationId === null ? null : await readPluginOf(deps.db, run.conversationId)
  if (!plugin) return
  const place = await placeOf(deps, run, plugin)
  try {
    const { code } = splitReply(content)
    if (code === null) {
      const outcome = status === 'completed' ? 'answered' : 'failed'
      if (place) await endTurn(deps.db, place.turn.id, { outcome, version: null })
      return
    }
    await keep(deps, run, { plugin, place, code, isWhole: status === 'completed' })
  } catch (error) {
    if (place) await endTurn(deps.db, place.turn.id, { outcome: 'failed', version: null })
    throw error
  }
}

interface Place {
  turn: Turn
  attempt: number
}

/** Which turn a run belongs to; one that ended faster than its start could be written down belongs to the open one. */
async function placeOf({ db }: ObserveDeps, run: EndedRun, plugin: Plugin): Promise<Place | null> {
  const known = await readTurnOfRun(db, run.generationId)
  if (known || !plugin.openTurn) return known
  const { messageId, replyId, generationId } = run
  const attempt = plugin.openTurn.generationIds.length
  if (messageId === null || replyId === null) return null
  await insertRun(db, { turnId: plugin.openTurn.id, attempt, generationId, messageId, replyId })
  return { turn: plugin.openTurn, attempt }
}

interface Found {
  plugin: Plugin
  place: Place | null
  code: string
  isWhole: boolean
}

async function keep(
  deps: ObserveDeps,
  run: EndedRun,
  { plugin, place, code, isWhole }: Found,
): Promise<void> {
  const { db, checker } = deps
  const report = await checker.check(code, run.accountId)
  const { generationId } = run
  const isFinal = place?.turn.purpose === 'final' && report.errors === 0 && isWhole
  const mayRepair = place !== null && report.errors > 0 && isWhole && place.attempt < mostRepairs
  const version = await db.transaction().execute(async within => {
    const made = await insertVersion(within, {
      pluginId: plugin.id,
      origin: 'model',
      code,
      report,
      generationId,
    })
    if (made === null) return null
    if (isFinal) await markFinal(within, plugin.id, made)
    if (place && !mayRepair) {
      await endTurn(within, place.turn.id, { outcome: outcomeOf(report, isWhole), version: made })
    }
    return made
  })
  if (version === null) return
  const repair = mayRepair && place ? await startRepair(deps, run, { plugin, place, report, version }) : null
  // Not waited for: this run is settled only after its observers have ended.
  if (place && report.errors > 0 && isWhole && !repair) void forgiveTurn(deps, run.accountId, place.turn.id)
  const { errors, warnings } = report
  const begun = repair === 'later' ? null : repair
  run.emit({ type: 'check-done', pluginId: plugin.id, version, errors, warnings, isFinal, repair: begun })
}

function outcomeOf(report: Report, isWhole: boolean): Exclude<Outcome, 'open'> {
  if (!isWhole) return 'failed'
  return report.errors === 0 ? 'passed' : 'errors'
}

interface Wrong {
  plugin: Plugin
  place: Place
  report: Report
  version: number
}

interface Repair {
  generationId: string
  attempt: number
}

/**
 * Sends the findings back to the model. `later` when the credits that the answer itself holds are needed for it: those
 * come back when it is settled, which is after its observers. Null when it cannot begin; the turn has ended then.
 */
async function startRepair(deps: ObserveDeps, run: EndedRun, wrong: Wrong): Promise<Repair | 'later' | null> {
  try {
    return await beginRepair(deps, run, wrong)
  } catch (error) {
    if (error instanceof AppError && error.code === 'INSUFFICIENT_CREDITS') {
      void repairWhenSettled(deps, run, wrong)
      return 'later'
    }
    await giveUp(deps, wrong, error)
    return null
  }
}

async function repairWhenSettled(deps: ObserveDeps, run: EndedRun, wrong: Wrong): Promise<void> {
  try {
    await deps.generations.wait(run.accountId, run.generationId)
    await beginRepair(deps, run, wrong)
  } catch (error) {
    await giveUp(deps, wrong, error).catch(thrown => deps.report(thrown, 'a turn of a plugin did not end'))
  }
}

/** No credits, or the server is stopping: the errors stay, and are told. */
async function giveUp({ db, report }: ObserveDeps, { place, version }: Wrong, error: unknown): Promise<void> {
  report(error, 'a plugin could not be repaired')
  await endTurn(db, place.turn.id, { outcome: 'errors', version })
}

async function beginRepair(
  { db, generations }: ObserveDeps,
  run: EndedRun,
  { plugin, place, report }: Wrong,
): Promise<Repair> {
  const attempt = place.attempt + 1
  const turnId = place.turn.id
  const { settings, model, isJob } = await generations.read(run.accountId, run.generationId)
  const { generation, messageId, replyId } = await generations.start({
    ...settings,
    accountId: run.accountId,
    kind: 'plugin',
    conversationId: plugin.conversationId,
    message: repairText(report.findings),
    model,
    asJob: isJob,
    isCounted: false,
    idempotencyKey: `plugin-repair:${turnId}:${attempt}`,
  })
  await insertRun(db, { turnId, attempt, generationId: generation.id, messageId, replyId })
  return { generationId: generation.id, attempt }
}
