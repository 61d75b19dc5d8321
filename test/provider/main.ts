// The scripted provider as a process: node test/provider/main.ts --port 0 --tokens 5 --interval-ms 0 --log 1000
// Prints one line of JSON, {"url": "http://127.0.0.1:…"}, when it listens. With --with-parent it ends when its stdin ends.
import type { AddressInfo } from 'node:net'
import { parseArgs } from 'node:util'
import { createProviderServer } from './server.ts'

const { values } = parseArgs({
  options: {
    port: { type: 'string', default: '0' },
    tokens: { type: 'string', default: '5' },
    'interval-ms': { type: 'string', default: '0' },
    log: { type: 'string', default: '1000' },
    'with-parent': { type: 'boolean', default: false },
  },
})

const server = createProviderServer({
  fallback: { tokens: Number(values.tokens), intervalMs: Number(values['interval-ms']) },
  logLimit: Number(values.log),
})
server.keepAliveTimeout = 60_000
server.listen(Number(values.port), '127.0.0.1', () => {
  const { port } = server.address() as AddressInfo
  process.stdout.write(`${JSON.stringify({ url: `http://127.0.0.1:${port}` })}\n`)
})
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(0))
if (values['with-parent']) process.stdin.on('end', () => process.exit(0)).resume()
