import { connect } from 'node:net'

export interface RawRequest {
  method: string
  /** Goes out exactly as it is written, which fetch does not do. */
  path: string
  token?: string | undefined
  body?: unknown
}

/** The status of a request that is written by hand. */
export function rawStatus(url: string, { method, path, token, body }: RawRequest): Promise<number> {
  const { hostname, port, host } = new URL(url)
  const content = body === undefined ? '' : JSON.stringify(body)
  const lines = [
    `${method} ${path} HTTP/1.1`,
    `host: ${host}`,
    'connection: close',
    ...(token === undefined ? [] : [`authorization: Bearer ${token}`]),
    ...(body === undefined ? [] : ['content-type: application/json']),
    `content-length: ${Buffer.byteLength(content)}`,
  ]
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), hostname)
    let answer = ''
    socket.setEncoding('utf8')
    socket.on('data', data => {
      answer += data
    })
    socket.on('error', reject)
    socket.on('close', () => resolve(Number(answer.split(' ')[1])))
    socket.end(`${lines.join('\r\n')}\r\n\r\n${content}`)
  })
}

/** Other ways to write a path, by which a guard that looks at texts could be passed. */
export function spellingsOf(path: string): string[] {
  return [
    `${path}/`,
    `/${path}`,
    path.replace(/\/([^/]+)$/, '//$1'),
    path.replace(/\/([^/]+)$/, '/%2e/$1'),
    path.replace(/\/([^/]+)$/, '/x/%2e%2e/$1'),
    path.toUpperCase(),
  ]
}
