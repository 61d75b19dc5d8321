// The floor: what a good engineer would write by hand for this one job, as fast as plain node:http and pg allow. Checks
// the token (remembered once checked), reads 20 messages of context with a prepared statement, relays the provider's
// bytes as they are, and stores both messages in one statement before it ends the answer. No sessions, limits or log.
// With FLOOR_PROMISE it keeps our promise as well: the question is on the disk before anything is answered.
import { createHmac, randomUUID, timingSafeEqual } from 'node:crypto'
import http, { type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import pg from 'pg'

const upstream = new URL(process.env.OPENAI_BASE_URL ?? '')
const secret = process.env.FLOOR_SECRET ?? ''
const keepsPromise = process.env.FLOOR_PROMISE === 'true'
const agent = new http.Agent({ keepAlive: true, maxFreeSockets: 1000, scheduling: 'lifo' })
const pool = new pg.Pool({ connectionString: process.env.FLOOR_DATABASE_URL, max: 20 })

interface Question {
  conversationId: string
  message: string
  stream: boolean
  /** Where it is stored, when it is already. */
  position?: number
}
type Row = { role: string; content: string }

const accounts = new Map<string, { accountId: string; expiresAt: number }>()

function accountOf(header: string | undefined): string | null {
  const token = header?.slice(7) ?? ''
  const known = accounts.get(token) ?? check(token)
  return known && known.expiresAt > Date.now() / 1000 ? known.accountId : null
}

function check(token: string) {
  const [head = '', body = '', signature = ''] = token.split('.')
  const expected = createHmac('sha256', secret).update(`${head}.${body}`).digest()
  const given = Buffer.from(signature, 'base64url')
  if (given.length !== expected.length || !timingSafeEqual(given, expected)) return null
  const claims = JSON.parse(Buffer.from(body, 'base64url').toString()) as { sub: string; exp: number }
  const known = { accountId: claims.sub, expiresAt: claims.exp }
  accounts.set(token, known)
  return known
}

const readContext = {
  name: 'context',
  text: `select m.role, m.content from messages m join conversations c on c.id = m.conversation_id
    where c.id = $1 and c.account_id = $2 order by m.position desc limit 20`,
}
const storeQuestion = {
  name: 'question',
  text: `with c as (update conversations set message_count = message_count + 2, updated_at = now() where id = $1
      returning message_count)
    insert into messages (id, conversation_id, position, role, content)
    select $2, $1, c.message_count - 1, 'user', $3 from c returning position`,
}
const storeAnswer = {
  name: 'answer',
  text: `insert into messages (id, conversation_id, position, role, content) values ($1, $2, $3, 'assistant', $4)`,
}
const storeTurn = {
  name: 'store',
  text: `with c as (update conversations set message_count = message_count + 2, updated_at = now() where id = $1
      returning message_count)
    insert into messages (id, conversation_id, position, role, content)
    select v.id, $1, c.message_count + v.step, v.role, v.content
    from c, (values ($2::uuid, -1, 'user', $3), ($4::uuid, 0, 'assistant', $5)) as v (id, step, role, content)`,
}

function ask(question: Question, response: ServerResponse, accountId: string): void {
  const { conversationId } = question
  pool.query<Row>({ ...readContext, values: [conversationId, accountId] }, (error, found) => {
    if (error || found.rows.length === 0) return refuse(response, error ? 500 : 404)
    if (!keepsPromise) return askProvider(found.rows)
    const values = [conversationId, randomUUID(), question.message]
    pool.query<{ position: number }>({ ...storeQuestion, values }, (failure, stored) => {
      const row = stored?.rows[0]
      if (failure || !row) return refuse(response, 500)
      question.position = row.position
      askProvider(found.rows)
    })
  })
  function askProvider(newestFirst: Row[]): void {
    const messages = newestFirst.reverse()
    messages.push({ role: 'user', content: question.message })
    const body = JSON.stringify({ model: 'bench', messages, stream: question.stream, temperature: 0.7 })
    const outgoing = http.request({
      host: upstream.hostname,
      port: upstream.port,
      path: `${upstream.pathname}/chat/completions`,
      method: 'POST',
      headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) },
      agent,
    })
    outgoing.on('response', answer => relay(question, answer, response))
    outgoing.on('error', () => response.destroy())
    response.on('close', () => outgoing.destroy())
    outgoing.end(body)
  }
}

function relay(question: Question, answer: IncomingMessage, response: ServerResponse): void {
  const chunks: Buffer[] = []
  if (question.stream)
    response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' })
  answer.on('data', (chunk: Buffer) => {
    chunks.push(chunk)
    if (!question.stream || response.write(chunk)) return
    answer.pause()
    response.once('drain', () => answer.resume())
  })
  answer.on('end', () => {
    const raw = Buffer.concat(chunks).toString()
    const content = question.stream ? textOf(raw) : (JSON.parse(raw) as Whole).choices[0].message.content
    const { conversationId, message, position } = question
    const store =
      position === undefined
        ? { ...storeTurn, values: [conversationId, randomUUID(), message, randomUUID(), content] }
        : { ...storeAnswer, values: [randomUUID(), conversationId, position + 1, content] }
    pool.query(store, error => {
      if (error) response.destroy()
      else if (question.stream) response.end()
      else sendJson(response, 200, JSON.stringify({ success: true, data: { reply: content } }))
    })
  })
}

interface Whole {
  choices: [{ message: { content: string } }]
}

function textOf(raw: string): string {
  let text = ''
  for (const line of raw.split('\n')) {
    if (!line.startsWith('data: {')) continue
    const frame = JSON.parse(line.slice(6)) as { choices: { delta: { content?: string } }[] }
    text += frame.choices[0]?.delta.content ?? ''
  }
  return text
}

function refuse(response: ServerResponse, status: number): void {
  sendJson(response, status, '{"success":false}')
}

function sendJson(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(text),
  })
  response.end(text)
}

const server = http.createServer((request, response) => {
  const accountId = accountOf(request.headers.authorization)
  if (accountId === null) return refuse(response, 401)
  const chunks: Buffer[] = []
  request.on('data', (chunk: Buffer) => chunks.push(chunk))
  request.on('end', () => {
    const question = JSON.parse(Buffer.concat(chunks).toString()) as Question
    if (typeof question.message !== 'string' || typeof question.conversationId !== 'string')
      return refuse(response, 400)
    ask(question, response, accountId)
  })
})
server.keepAliveTimeout = 120_000
server.listen(0, '127.0.0.1', () => process.send?.({ port: (server.address() as AddressInfo).port }))
process.on('disconnect', () => process.exit(0))
