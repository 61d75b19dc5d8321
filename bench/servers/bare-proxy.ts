// The least that can stand between a client and the provider: node:http on both sides and a pipe.
import http from 'node:http'
import type { AddressInfo } from 'node:net'

const upstream = new URL(process.env.OPENAI_BASE_URL ?? '')
const agent = new http.Agent({ keepAlive: true, maxFreeSockets: 1000, scheduling: 'lifo' })

const server = http.createServer((request, response) => {
  const outgoing = http.request({
    host: upstream.hostname,
    port: upstream.port,
    path: `${upstream.pathname}/chat/completions`,
    method: 'POST',
    headers: { 'content-type': 'application/json', 'content-length': request.headers['content-length'] },
    agent,
  })
  outgoing.on('response', answer => {
    response.writeHead(answer.statusCode ?? 502, answer.headers)
    answer.pipe(response)
  })
  outgoing.on('error', () => response.destroy())
  response.on('close', () => outgoing.destroy())
  request.pipe(outgoing)
})
server.keepAliveTimeout = 120_000
server.listen(0, '127.0.0.1', () => process.send?.({ port: (server.address() as AddressInfo).port }))
process.on('disconnect', () => process.exit(0))
