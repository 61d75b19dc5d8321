/** One Ctrl-C comes several times: from the terminal to all of its processes, and passed on by npm and our launcher. */
const sameSignalMs = 1000

/** Aborted by SIGINT, SIGTERM or SIGHUP; one that comes more than a second later ends the process at once. */
export function stopSignal(): AbortSignal {
  const controller = new AbortController()
  let firstAt = 0
  const onSignal = () => {
    if (!controller.signal.aborted) {
      firstAt = performance.now()
      controller.abort(new Stopped())
    } else if (performance.now() - firstAt > sameSignalMs) process.exit(1)
  }
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, onSignal)
  return controller.signal
}

/** The operator wants the process to stop: no failure, wherever it is thrown. */
export class Stopped extends Error {
  override readonly name = 'Stopped'
}

/** Resolves when the signal is aborted. */
export function untilAborted(signal: AbortSignal): Promise<void> {
  return new Promise(resolve => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
}

/** Ends the process once everything is closed: a client that looks for a store that is gone must not keep it alive. */
export function exitNow(): never {
  process.exit(0)
}
