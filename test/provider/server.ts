import { createHash } from 'node:crypto'
import http from 'node:http'
import { play } from './play.ts'
import { type Script, scriptFor } from './script.ts'
import type { WireName } from './wires.ts'

/** One request as the scripted provider saw it: the tests' oracle. Times are milliseconds since the epoch. */
export interface ProviderRequest {
  id: number
  at: number
  /** The client's port: equal for requests over one connection. */
  clientPort: number
  wire: WireName
  path: string
  model: string
  /** The header that carried the key, and the start of the key's SHA-256; the key itself is never kept. */
  auth: { header: string; fingerprint: string } | null
  headers: Record<string, string>
  body: unknown
  /** The last message of the person. */
  prompt: string
  script: Script
  tokensSent: number
  /** When the answer was complete; null while it runs and when it was cut. */
  finishedAt: number | null
  /** When the client closed before the answer was complete. */
  clientClosedAt: number | null
}

export interface ProviderOptions {
  /** What is played when nothing else is asked for. */
  fallback: Script
  /** How many requests are remembered; 0 remembers none. */
  logLimit: number
}

/** The scripted provider as a server that does not listen yet. */
export function createProviderServer({ fallback, logLimit }: ProviderOptions): http.Server {
  const queue: Script[] = []
  const log: ProviderRequest[] = []
  let count = 0

  async function answer(request: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
    const path = request.url ?? '/'
    const text = await bodyOf(request)
    if (path.startsWith('/__admin/'))
      return admin({ path, method: request.method ?? 'GET', text, response, queue, log })
    if (request.method === 'GET' && path.endsWith('/models'))
      return void response
        .writeHead(200, { 'content-type': 'application/json' })
        .end('{"object":"list","data":[{"id":"ok"},{"id":"drip"}]}')
    const wire = wireOf(path)
    if (!wire)
      return void response
        .writeHead(404, { 'content-type': 'application/json' })
        .end('{"error":{"message":"no such path"}}')
    const body = JSON.parse(text) as Body
    const model = modelOf(path, body)
    const prompt = promptOf(body)
    const script = { ...fallback, ...(queue.shift() ?? scriptFor(model, prompt)) }
    count += 1
    const entry: ProviderRequest = {
      id: count,
      at: Date.now(),
      clientPort: request.socket.remotePort ?? 0,
      ...{ wire, path, model, body, prompt, script },
      ...headersOf(request),
      tokensSent: 0,
      finishedAt: null,
      clientClosedAt: null,
    }
    if (logLimit > 0) log.push(entry)
    if (log.length > logLimit) log.shift()
    response.on('finish', () => {
      entry.finishedAt = Date.now()
    })
    response.on('close', () => {
      if (!response.writableFinished) entry.clientClosedAt = Date.now()
    })
    play({ response, wire, script, isStream: wire !== 'chat' || body.stream === true, progress: entry })
  }

  return http.createServer((request, response) => {
    answer(request, response).catch(error => response.writeHead(400).end(String(error)))
  })
}

interface Body {
  model?: string
  stream?: boolean
  messages?: { role: string; content: unknown }[]
  contents?: { role: string; parts: { text: string }[] }[]
}

interface Admin {
  path: string
  method: string
  text: string
  response: http.ServerResponse
  queue: Script[]
  log: ProviderRequest[]
}

function admin({ path, method, text, response, queue, log }: Admin): void {
  if (path === '/__admin/scripts' && method === 'POST') queue.push(...(JSON.parse(text) as Script[]))
  if (path === '/__admin/requests' && method === 'DELETE') {
    log.length = 0
    queue.length = 0
  }
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(log))
}

async function bodyOf(request: http.IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString('utf8')
}

function wireOf(path: string): WireName | undefined {
  if (path.includes(':streamGenerateContent')) return 'gemini'
  if (path.endsWith('/chat/completions')) return 'chat'
  return path.endsWith('/v1/messages') ? 'messages' : undefined
}

function modelOf(path: string, body: Body): string {
  const named = /\/models\/([^:]+):/.exec(path)?.[1]
  return named ? decodeURIComponent(named) : (body.model ?? '')
}

function promptOf(body: Body): string {
  const content =
    body.contents
      ?.at(-1)
      ?.parts.map(part => part.text)
      .join('') ?? body.messages?.at(-1)?.content
  return typeof content === 'string' ? content : JSON.stringify(content ?? '')
}

const keyHeaders = ['authorization', 'x-api-key', 'x-goog-api-key']

function headersOf(request: http.IncomingMessage): Pick<ProviderRequest, 'auth' | 'headers'> {
  const headers: Record<string, string> = {}
  let auth: ProviderRequest['auth'] = null
  for (const [name, value] of Object.entries(request.headers)) {
    if (keyHeaders.includes(name))
      auth = { header: name, fingerprint: keyFingerprint(String(value).replace(/^Bearer /, '')) }
    else headers[name] = String(value)
  }
  return { auth, headers }
}

/** How a key appears in the log. */
export function keyFingerprint(key: string): string {
  return createHash('sha256').update(key).digest('hex').slice(0, 12)
}
