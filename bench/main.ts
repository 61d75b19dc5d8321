/** Runs a measurement to its end; whatever it started is gone afterwards, also after Ctrl-C or an error. */
export async function runToEnd(main: () => Promise<void>, stack: AsyncDisposableStack): Promise<void> {
  let isStopping = false
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      if (isStopping) return
      isStopping = true
      stack.disposeAsync().finally(() => process.exit(130))
    })
  }
  try {
    await main()
  } catch (error) {
    if (!isStopping) process.stderr.write(`\n${error instanceof Error ? error.stack : String(error)}\n`)
    process.exitCode = 1
  } finally {
    if (!isStopping) await stack.disposeAsync()
  }
}
