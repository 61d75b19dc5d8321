import type { Engine } from './engine.ts'
import { recoverJobs, recoverOrphans } from './recovery.ts'
import { RunLost } from './run.ts'
import { heedCancels } from './stop.ts'
import { saveCheckpoints } from './store.ts'

const everyMs = 1000
const heartbeatEveryTicks = 5
/** After the database was away, so many times are others given to say that they live. */
const heartbeatsOfGrace = 3

/** Keeps the text of running generations about once a second, and ends those whose process died. */
export function startCheckpoints(engine: Engine): { stop(): Promise<void> } {
  let tick = 0
  let current: Promise<void> = Promise.resolve()
  let isBusy = false
  let grace = 0
  const timer = setInterval(() => {
    if (isBusy) return
    isBusy = true
    const isHeartbeat = ++tick % heartbeatEveryTicks === 0
    current = keep(engine, isHeartbeat, grace > 0)
      .then(isKept => {
        grace = isKept ? Math.max(0, grace - (isHeartbeat ? 1 : 0)) : heartbeatsOfGrace
      })
      .finally(() => {
        isBusy = false
      })
  }, everyMs)
  timer.unref()
  return {
    async stop() {
      clearInterval(timer)
      await current
    },
  }
}

/** False when the database could not be reached. */
async function keep(engine: Engine, isHeartbeat: boolean, mayBeSilent: boolean): Promise<boolean> {
  const runs = [...engine.runs.values()].filter(run => run.isDirty || isHeartbeat)
  for (const run of runs) run.isDirty = false
  try {
    if (runs.length > 0) {
      const alive = await saveCheckpoints(
        engine.db,
        runs.map(run => run.progress()),
      )
      for (const run of runs) {
        if (!alive.has(run.generationId)) run.controller.abort(new RunLost('another process has this run'))
      }
    }
    await heedCancels(engine)
    if (isHeartbeat) {
      const count = await recoverOrphans(engine, { mayBeSilent })
      if (count > 0) engine.log.warn({ count }, 'looked after generations of a process that died')
      await recoverJobs(engine).catch(err => engine.log.warn({ err }, 'lost jobs could not be looked for'))
    }
    return true
  } catch (err) {
    for (const run of runs) run.isDirty = true
    engine.log.warn({ err }, 'a checkpoint could not be stored; it is tried again')
    return false
  }
}
