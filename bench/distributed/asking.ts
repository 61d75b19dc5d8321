import http from 'node:http'
import type { Caller } from '../rows.ts'
import type { Askable } from './worlds.ts'

const agent = new http.Agent({ keepAlive: true, maxFreeSockets: 2000, scheduling: 'lifo' })

/** An answer on its way to its reader. */
export interface Reading {
  /** Milliseconds from the question to the first token, when it has come. */
  first: Promise<number>
  /** All that was received, when it has ended. Rejects when it is not a completed answer. */
  done: Promise<string>
}

/** What is asked: the provider obeys the mark in `say`. `turn` chooses the account. */
export interface Question {
  say: string
  turn: number
}

const firstMark = '"type":"text-delta"'
const endMark = '"status":"completed"'

interface Sent {
  method: 'GET' | 'POST'
  path: string
  token: string
  body?: object
}

function send(port: number, { method, path, token, body }: Sent): Promise<http.IncomingMessage> {
  const { promise, resolve, reject } = Promise.withResolvers<http.IncomingMessage>()
  const text = body ? JSON.stringify(body) : ''
  const headers = {
    authorization: `Bearer ${token}`,
    accept: 'text/event-stream',
    ...(body && { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }),
  }
  http
    .request({ host: '127.0.0.1', port, path: `/api/v1${path}`, method, headers, agent })
    .on('response', resolve)
    .on('error', reject)
    .end(text)
  return promise
}

async function textOf(response: http.IncomingMessage): Promise<string> {
  response.setEncoding('utf8')
  let text = ''
  for await (const chunk of response) text += chunk
  return text
}

function callerOf(world: Askable, turn: number): Caller {
  const caller = world.callers[turn % world.callers.length]
  if (!caller) throw new Error('a world without accounts')
  return caller
}

/** Reads a response that may come later. */
function read(response: Promise<http.IncomingMessage>): Reading {
  const started = performance.now()
  const first = Promise.withResolvers<number>()
  const done = (async () => {
    const answer = await response
    answer.setEncoding('utf8')
    let text = ''
    let isFirst = true
    for await (const chunk of answer) {
      text += chunk
      if (!isFirst || !text.includes(firstMark)) continue
      isFirst = false
      first.resolve(performance.now() - started)
    }
    if (answer.statusCode !== 200 || !text.includes(endMark, text.length - 2000))
      throw new Error(`${answer.statusCode}: ${text.slice(-400)}`)
    return text
  })()
  done.catch(first.reject)
  first.promise.catch(() => {})
  return { first: first.promise, done }
}

/** Asks and reads the answer in one request, run by the server itself. */
export function askNow(world: Askable, { say, turn }: Question): Reading {
  const { token } = callerOf(world, turn)
  return read(send(world.port, { method: 'POST', path: '/generations', token, body: { message: say } }))
}

/** Asks for a job, and follows it from the moment it is accepted. */
export function askQueued(world: Askable, { say, turn }: Question): Reading {
  const { token } = callerOf(world, turn)
  const follow = async () => {
    const body = { message: say, background: true }
    const accepted = await send(world.port, { method: 'POST', path: '/generations', token, body })
    const text = await textOf(accepted)
    if (accepted.statusCode !== 202) throw new Error(`${accepted.statusCode}: ${text.slice(0, 400)}`)
    const { data } = JSON.parse(text) as { data: { generation: { id: string } } }
    return send(world.port, { method: 'GET', path: `/generations/${data.generation.id}/events`, token })
  }
  return read(follow())
}

/** Does `work` for 0, 1, … count − 1, so many at once. */
export async function inLanes(
  count: number,
  lanes: number,
  work: (turn: number) => Promise<unknown>,
): Promise<void> {
  let next = 0
  const lane = async () => {
    while (next < count) await work(next++)
  }
  await Promise.all(Array.from({ length: lanes }, lane))
}
