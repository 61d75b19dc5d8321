import { setTimeout as sleep } from 'node:timers/promises'
import type { startCheckpoints } from './checkpoints.ts'
import type { Engine } from './engine.ts'
import { readOwn } from './follow.ts'
import { RunStopped } from './run.ts'
import type { Generation } from './store.ts'

/** Stops a run of the account; what it wrote stays. One that has ended is returned as it is. */
export async function cancel(engine: Engine, accountId: string, id: string): Promise<Generation> {
  const run = engine.runs.get(id)
  if (run && run.accountId === accountId) {
    run.controller.abort(new RunStopped('cancelled', 'cancelled by its account'))
    await run.done
  }
  return readOwn(engine, accountId, id)
}

/** Stops every run of an account in this process. */
export async function cancelAll(engine: Engine, accountId: string): Promise<void> {
  const runs = [...engine.runs.values()].filter(run => run.accountId === accountId)
  for (const run of runs) run.controller.abort(new RunStopped('cancelled', 'the account is gone'))
  await Promise.all(runs.map(run => run.done))
}

/** Takes no new work, lets running answers end within the drain time, and interrupts the rest. */
export async function close(engine: Engine, checkpoints: ReturnType<typeof startCheckpoints>): Promise<void> {
  engine.isClosing = true
  const running = Promise.all([...engine.runs.values()].map(run => run.done))
  const drained = new AbortController()
  await Promise.race([running, sleep(engine.drainMs, undefined, { signal: drained.signal }).catch(() => {})])
  drained.abort()
  for (const run of engine.runs.values()) {
    run.controller.abort(new RunStopped('interrupted', 'the server is stopping'))
  }
  await running
  await checkpoints.stop()
}
