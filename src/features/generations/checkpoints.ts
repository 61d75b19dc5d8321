import type { Engine } from './engine.ts'
import { recoverJobs, recoverOrphans } from './recovery.ts'
import { saveCheckpoints } from './store.ts'

const everyMs = 1000
const heartbeatEveryTicks = 5

/** Keeps the text of running generations about once a second, and ends those whose process died. */
export function startCheckpoints(engine: Engine): { stop(): Promise<void> } {
  let tick = 0
  let current: Promise<void> = Promise.resolve()
  let isBusy = false
  const timer = setInterval(() => {
    if (isBusy) return
    isBusy = true
    current = keep(engine, ++tick % heartbeatEveryTicks === 0).finally(() => {
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

async function keep(engine: Engine, isHeartbeat: boolean): Promise<void> {
  const runs = [...engine.runs.values()].filter(run => run.isDirty || isHeartbeat)
  for (const run of runs) run.isDirty = false
  try {
    if (runs.length > 0) {
      await saveCheckpoints(
        engine.db,
        runs.map(run => run.progress()),
      )
    }
    if (isHeartbeat) {
      const count = await recoverOrphans(engine)
      if (count > 0) engine.log.warn({ count }, 'looked after generations of a process that died')
      await recoverJobs(engine)
    }
  } catch (err) {
    for (const run of runs) run.isDirty = true
    engine.log.warn({ err }, 'a checkpoint could not be stored; it is tried again')
  }
}
