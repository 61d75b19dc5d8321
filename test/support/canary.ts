import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'

/** Somebody inside the operator's network, who must never hear of what accounts enter. */
export interface Canary extends AsyncDisposable {
  port: number
  /** Connections so far. */
  hits(): number
}

/** Listens on one port of 127.0.0.1 and, where there is IPv6, of ::1. */
export async function openCanary(): Promise<Canary> {
  let hits = 0
  const servers: Server[] = []
  async function listen(port: number, host: string): Promise<number> {
    const server = createServer((_request, response) => response.end('{}'))
    server.on('connection', () => {
      hits += 1
    })
    server.listen(port, host)
    await once(server, 'listening')
    servers.push(server)
    return (server.address() as AddressInfo).port
  }
  const port = await listen(0, '127.0.0.1')
  await listen(port, '::1').catch(() => {})
  return {
    port,
    hits: () => hits,
    async [Symbol.asyncDispose]() {
      for (const server of servers) {
        server.closeAllConnections()
        server.close()
      }
    },
  }
}

/** Base URLs that lead inside, or that are no base URLs, in every spelling that has fooled somebody; `port` is the canary's. */
export function insideUrls(port: number): string[] {
  const hosts = [
    '127.0.0.1',
    '127.1',
    '2130706433',
    '0x7f.1',
    '0x7f000001',
    '0177.0.0.1',
    '0',
    '0.0.0.0',
    '①②⑦.⓪.⓪.①',
    '127。0。0。1',
    'localhost',
    'localhost.',
    'LOCALHOST',
    'x.localhost',
    'printer',
    'vault.internal',
    '[::]',
    '[::1]',
    '[::ffff:127.0.0.1]',
    '[::ffff:7f00:1]',
    '[::ffff:a9fe:a9fe]',
    '[64:ff9b::7f00:1]',
    '[2002:7f00:1::]',
    '[fd00::1]',
    '[fe80::1]',
    '169.254.169.254',
    '100.100.100.200',
    '168.63.129.16',
    '10.1.2.3',
    '172.16.0.1',
    '192.168.1.1',
  ]
  return [
    ...hosts.flatMap(host => [`https://${host}:${port}/v1`, `http://${host}:${port}/v1`]),
    `https://api.openai.com@127.0.0.1:${port}/v1`,
    `https://user:password@8.8.8.8/v1`,
    `https://8.8.8.8#@127.0.0.1:${port}/v1`,
    `https://8.8.8.8\\@127.0.0.1:${port}/v1`,
    `https://8.8.8.8/v1?x=127.0.0.1`,
    'http://8.8.8.8/v1',
    'https://8.8.8.8:6379/v1',
    'https://8.8.8.8:5432/v1',
    'https://8.8.8.8:22/v1',
    'https://8.8.8.8:25/v1',
    'file:///etc/passwd',
    `gopher://127.0.0.1:${port}/_x`,
    `ftp://127.0.0.1:${port}/`,
    'data:text/plain,hello',
    'javascript:alert(1)',
    `//127.0.0.1:${port}/v1`,
    'not a url',
    'https://',
    'https:///v1',
    `https://8.8.8.8/${'x'.repeat(400)}`,
  ]
}
