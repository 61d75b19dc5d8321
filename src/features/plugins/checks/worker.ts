/** The thread that checks plugins, one at a time. It gets code and gives findings; it is ended when it takes too much. */
import { parentPort } from 'node:worker_threads'
import { checkPlugin } from './check.ts'

parentPort?.on('message', (request: { code: string }) => {
  const startedAt = performance.now()
  const findings = checkPlugin(request.code)
  parentPort?.postMessage({ findings, durationMs: performance.now() - startedAt })
})
