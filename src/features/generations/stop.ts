import { setTimeout as sleep } from 'node:timers/promises'
import type { Engine } from './engine.ts'
import { readOwn } from './follow.ts'
import { isFinal } from './replay.ts'
import { RunStopped } from './run.ts'
import type { Generation } from './store.ts'
import { cancelQueued, listCancelWishes, listOpen, wantCancel } from './store-jobs.ts'

/** Where processes tell each other which generation shall stop. */
const channel = 'generations:cancel'
const patienceMs = 3000
const lookEveryMs = 50

/** Hears which runs of this process others want to stop. */
export function listenForCancels(engine: Engine): Promise<() => Promise<void>> {
  return engine.cache.subscribe(channel, id => {
    engine.runs.get(id)?.controller.abort(new RunStopped('cancelled', 'cancelled by its account'))
  })
}

/** Stops the runs of this process that others want to be stopped. */
export async function heedCancels(engine: Engine): Promise<void> {
  if (engine.runs.size === 0) return
  for (const id of await listCancelWishes(engine.db, engine.self)) {
    engine.runs.get(id)?.controller.abort(new RunStopped('cancelled', 'cancelled by its account'))
  }
}

/**
 * Stops a run of the account, in whichever process it is; what it wrote stays. One that has ended is returned as it is,
 * one whose process does not heed within three seconds as it is then.
 */
export async function cancel(engine: Engine, accountId: string, id: string): Promise<Generation> {
  const run = engine.runs.get(id)
  if (run && run.accountId === accountId) {
    run.controller.abort(new RunStopped('cancelled', 'cancelled by its account'))
    await run.done
    return readOwn(engine, accountId, id)
  }
  const generation = await readOwn(engine, accountId, id)
  if (isFinal(generation.status)) return generation
  if (await cancelQueued(engine.db, accountId, id)) {
    await engine.queue.remove(id).catch(() => false)
    // Who waits for its log to be opened looks at once, and finds its end.
    engine.events.open(id).end()
    return readOwn(engine, accountId, id)
  }
  return cancelElsewhere(engine, accountId, id)
}

async function cancelElsewhere(engine: Engine, accountId: string, id: string): Promise<Generation> {
  // Told at once where processes hear each other (Redis), and found within a second where only the database is shared.
  await wantCancel(engine.db, accountId, id)
  await engine.cache.publish(channel, id)
  for (let waitedMs = 0; ; waitedMs += lookEveryMs) {
    const now = await readOwn(engine, accountId, id)
    if (isFinal(now.status) || waitedMs >= patienceMs) return now
    await sleep(lookEveryMs)
  }
}

/** Stops every run of an account, in every process. */
export async function cancelAll(engine: Engine, accountId: string): Promise<void> {
  const open = await listOpen(engine.db, accountId)
  await Promise.all(open.map(({ id }) => cancel(engine, accountId, id)))
  await engine.queue.forgetGroup(accountId)
}

/** Takes no new work, lets running answers end within the drain time, and interrupts the rest. */
export async function close(engine: Engine, checkpoints: { stop(): Promise<void> }): Promise<void> {
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
