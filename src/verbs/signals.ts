/** Resolves when the process was told to stop and has stopped what it started; a second signal stops at once. */
export function stopOnSignal(close: () => Promise<void>): Promise<void> {
  return new Promise(resolve => {
    let isStopping = false
    const onSignal = () => {
      if (isStopping) process.exit(1)
      isStopping = true
      close().then(resolve, error => {
        process.stderr.write(`${error instanceof Error ? error.stack : error}\n`)
        process.exit(1)
      })
    }
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, onSignal)
  })
}
