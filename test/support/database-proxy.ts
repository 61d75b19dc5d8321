import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

/** A TCP way to the test server's socket that can be told to swallow every byte, as a broken network does. */
export async function startProxy(server: { host: string; port: number }) {
  const sockets = new Set<Socket>()
  let isSwallowing = false
  const listener = createServer(client => {
    const upstream = connect(`${server.host}/.s.PGSQL.${server.port}`)
    for (const [from, to] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(from)
      from.on('data', bytes => {
        if (!isSwallowing) to.write(bytes)
      })
      from.on('error', () => {})
      from.on('close', () => {
        sockets.delete(from)
        to.destroy()
      })
    }
  })
  listener.listen(0, '127.0.0.1')
  await once(listener, 'listening')
  return {
    port: (listener.address() as AddressInfo).port,
    swallow(value: boolean): void {
      isSwallowing = value
    },
    async [Symbol.asyncDispose](): Promise<void> {
      for (const socket of sockets) socket.destroy()
      listener.close()
      await once(listener, 'close')
    },
  }
}
