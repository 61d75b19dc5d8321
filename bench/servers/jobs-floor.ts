// The floor of jobs: what a good engineer would write by hand on BullMQ for this one path, as fast as plain node:http, pg
// and ioredis allow. The server stores the question in one statement, queues its id, and relays what the worker
// publishes; the worker reads the question, asks the provider, and stores the answer in one statement before it tells the
// end. Every write waits for the disk. No sessions, money, attempts, log or resuming. FLOOR_ROLE: server or worker.
import { randomUUID } from 'node:crypto'
import http, { type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Queue, Worker } from 'bullmq'
import { Redis } from 'ioredis'
import pg from 'pg'

const redisUrl = process.env.REDIS_URL ?? ''
const upstream = new URL(process.env.OPENAI_BASE_URL ?? '')
const { hostname, port } = new URL(redisUrl)
const connection = { host: hostname, port: Number(port), maxRetriesPerRequest: null }
const pool = new pg.Pool({ connectionString: process.env.FLOOR_DATABASE_URL, max: 20 })
const agent = new http.Agent({ keepAlive: true, maxFreeSockets: 1000, scheduling: 'lifo' })
const channel = 'floor:events'

const storeQuestion = { name: 'question', text: 'insert into jobs (id, question) values ($1, $2)' }
const readQuestion = { name: 'read', text: 'select question from jobs where id = $1' }
const storeAnswer = { name: 'answer', text: 'update jobs set answer = $2, ended_at = now() where id = $1' }

/** What came for a job, and who reads it. */
interface Following {
  frames: string
  hasEnded: boolean
  reader: ServerResponse | null
}

async function serve(): Promise<void> {
  await pool.query(`create table if not exists jobs (id uuid primary key, question text not null, answer text,
    created_at timestamptz not null default now(), ended_at timestamptz)`)
  const queue = new Queue('floor', { connection })
  const followed = new Map<string, Following>()
  const news = new Redis(redisUrl)
  await news.subscribe(channel)
  news.on('message', (_channel, message: string) => {
    const id = message.slice(0, 36)
    const job = followed.get(id)
    if (!job) return
    job.frames += message.slice(36)
    job.hasEnded = message.endsWith('"status":"completed"}\n\n')
    deliver(id, job)
  })

  function deliver(id: string, job: Following): void {
    if (!job.reader || job.frames === '') return
    if (job.hasEnded) {
      job.reader.end(job.frames)
      followed.delete(id)
    } else job.reader.write(job.frames)
    job.frames = ''
  }

  async function accept(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { message } = JSON.parse(await textOf(request)) as { message: string }
    const id = randomUUID()
    followed.set(id, { frames: '', hasEnded: false, reader: null })
    await pool.query({ ...storeQuestion, values: [id, message] })
    await queue.add('job', null, { jobId: id, removeOnComplete: { count: 1000 } })
    response.writeHead(202, { 'content-type': 'application/json' })
    response.end(JSON.stringify({ success: true, data: { generation: { id } } }))
  }

  const server = http.createServer((request, response) => {
    if (request.method === 'POST') return void accept(request, response)
    const id = request.url?.split('/')[4] ?? ''
    const job = followed.get(id)
    if (!job) return void response.writeHead(404).end()
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    job.reader = response
    deliver(id, job)
  })
  server.keepAliveTimeout = 120_000
  server.listen(0, '127.0.0.1', () => process.send?.({ port: (server.address() as AddressInfo).port }))
}

async function work(): Promise<void> {
  const redis = new Redis(redisUrl)
  const worker = new Worker(
    'floor',
    async ({ id = '' }) => {
      const { rows } = await pool.query<{ question: string }>({ ...readQuestion, values: [id] })
      const text = await ask(rows[0]?.question ?? '')
      await pool.query({ ...storeAnswer, values: [id, text] })
      const frames = [{ type: 'text-delta', text }, { status: 'completed' }]
      await redis.publish(channel, id + frames.map(frame => `data: ${JSON.stringify(frame)}\n\n`).join(''))
    },
    { connection, concurrency: 50 },
  )
  worker.on('error', () => {})
  await worker.waitUntilReady()
  process.send?.({ isReady: true })
}

async function ask(question: string): Promise<string> {
  const messages = [{ role: 'user', content: question }]
  const body = JSON.stringify({ model: 'bench', messages, stream: true })
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    const { hostname: host, port } = upstream
    const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }
    const path = `${upstream.pathname}/chat/completions`
    http
      .request({ host, port, path, method: 'POST', headers, agent })
      .on('response', resolve)
      .on('error', reject)
      .end(body)
  })
  let text = ''
  for (const line of (await textOf(answer)).split('\n')) {
    if (!line.startsWith('data: {')) continue
    const frame = JSON.parse(line.slice(6)) as { choices: { delta: { content?: string } }[] }
    text += frame.choices[0]?.delta.content ?? ''
  }
  return text
}

async function textOf(message: IncomingMessage): Promise<string> {
  let text = ''
  message.setEncoding('utf8')
  for await (const part of message) text += part
  return text
}

process.on('disconnect', () => process.exit(0))
await (process.env.FLOOR_ROLE === 'worker' ? work() : serve())
