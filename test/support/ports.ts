import { once } from 'node:events'
import { createServer } from 'node:net'

// Below the ports that systems give to connections and to `listen(0)` (Linux from 32,768, others from 49,152): what is found
// free here stays free until its server binds it.
const lowest = 20_000
const highest = 32_000

/** A port of 127.0.0.1 that nobody listens on, and that nobody is given by chance. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = lowest + Math.floor(Math.random() * (highest - lowest))
    const probe = createServer().listen(port, '127.0.0.1')
    const isFree = await once(probe, 'listening').then(
      () => true,
      () => false,
    )
    probe.close()
    if (!isFree) continue
    await once(probe, 'close')
    return port
  }
}
