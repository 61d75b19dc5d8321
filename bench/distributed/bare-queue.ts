// Bare BullMQ: a worker whose handler does nothing. A message { count } is answered when so many more jobs are done.
import { Worker } from 'bullmq'

const { hostname, port } = new URL(process.env.REDIS_URL ?? '')
let left = 0

const worker = new Worker('bare', async () => null, {
  connection: { host: hostname, port: Number(port), maxRetriesPerRequest: null },
  concurrency: 50,
  removeOnComplete: { count: 1000 },
})
worker.on('completed', () => {
  left -= 1
  if (left === 0) process.send?.({ isDone: true })
})
worker.on('error', () => {})
process.on('message', ({ count }: { count: number }) => {
  left = count
})
process.on('disconnect', () => process.exit(0))
await worker.waitUntilReady()
process.send?.({ isReady: true })
