import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { ApiError } from './errors.ts'
import { type Following, followGeneration, withoutSeen } from './stream.ts'
import type { GenerationEvent } from './types.ts'

type Script = (response: ServerResponse, after: number) => void

const closers: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const close of closers.splice(0)) await close()
})

/** A server that answers its n-th request by the n-th script, and what `after` each request asked for. */
async function serve(...scripts: Script[]) {
  const asked: number[] = []
  const server = createServer((request, response) => {
    const after = Number(new URL(request.url ?? '/', 'http://x').searchParams.get('after'))
    asked.push(after)
    const script = scripts[asked.length - 1]
    if (script) script(response, after)
    else response.writeHead(410).end('{"code":"NO_SCRIPT","message":"no script"}')
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  closers.push(() => {
    server.closeAllConnections()
    return new Promise(resolve => server.close(() => resolve()))
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked }
}

function frame(event: GenerationEvent): string {
  return `id: ${event.seq}\ndata: ${JSON.stringify(event)}\n\n`
}

const start: GenerationEvent = {
  seq: 1,
  type: 'generation-start',
  generationId: 'g',
  conversationId: 'c',
  messageId: 'm',
  replyId: 'r',
  model: 'sandbox/sandbox',
  title: 'Hello',
}
const text = (seq: number, words: string): GenerationEvent => ({ seq, type: 'text-delta', text: words })
const end = (seq: number): GenerationEvent => ({
  seq,
  type: 'generation-end',
  status: 'completed',
  finishReason: 'stop',
  usage: null,
  costMicroCredits: 0,
  error: null,
})

async function follow(url: string, more: Partial<Following> = {}) {
  const events: GenerationEvent[] = []
  const connections: string[] = []
  await followGeneration({
    open: (seq, signal) => fetch(`${url}/?after=${seq}`, { signal }),
    pause: async () => undefined,
    onEvent: event => events.push(event),
    onConnection: connection => connections.push(connection),
    signal: new AbortController().signal,
    ...more,
  })
  const said = events.map(event => (event.type === 'text-delta' ? event.text : '')).join('')
  return { events, said, connections }
}

test('an answer in one connection arrives whole, with pings and several events in one write', async () => {
  const { url, asked } = await serve(response => {
    response.write(`${frame(start)}: ping\n\n${frame(text(6, 'Hello'))}`)
    response.end(`${frame(text(14, ' wörld🎉'))}${frame(end(15))}`)
  })
  const { said, events } = await follow(url)
  expect(said).toBe('Hello wörld🎉')
  expect(events.at(-1)?.type).toBe('generation-end')
  expect(asked).toEqual([0])
})

test('a frame that is cut in the middle is asked for again and seen once', async () => {
  const { url, asked } = await serve(
    response => {
      response.write(frame(start) + frame(text(4, 'one')))
      response.write(frame(text(8, ' two')).slice(0, 20), () => response.destroy())
    },
    response => response.end(frame(text(8, ' two')) + frame(end(9))),
  )
  const { said, connections } = await follow(url)
  expect(said).toBe('one two')
  expect(asked).toEqual([0, 4])
  expect(connections).toEqual(['open', 'lost', 'open'])
})

test('repeats are ignored and joined events give only their new part', async () => {
  const { url } = await serve(
    response => {
      response.write(frame(start) + frame(text(4, 'one')))
      response.end()
    },
    response => response.end(frame(start) + frame(text(8, 'one two')) + frame(end(9))),
  )
  expect((await follow(url)).said).toBe('one two')
})

test('a silent connection is given up and resumed', async () => {
  const { url, asked } = await serve(
    response => void response.write(frame(start)),
    response => response.end(frame(text(3, 'ok')) + frame(end(4))),
  )
  expect((await follow(url, { silenceMs: 1000 })).said).toBe('ok')
  expect(asked).toEqual([0, 1])
})

test('a server in restart is asked again; a refusal is told', async () => {
  const { url } = await serve(
    response => void response.end(frame(start)),
    response => void response.writeHead(503).end('{}'),
    response => void response.writeHead(404).end('{"code":"NOT_FOUND","message":"Generation not found"}'),
  )
  const thrown = await follow(url).catch((error: unknown) => error)
  expect(thrown).toBeInstanceOf(ApiError)
  expect((thrown as ApiError).message).toBe('Generation not found')
})

test('a connection that dies before the first event is told, not repeated', async () => {
  const { url, asked } = await serve(response => void response.destroy())
  await expect(follow(url)).rejects.toThrow()
  expect(asked).toEqual([0])
})

test('withoutSeen keeps events of unknown kinds and drops the past', () => {
  expect(withoutSeen(text(10, 'abc'), 10)).toBeNull()
  expect(withoutSeen(text(10, 'abcde'), 8)).toEqual(text(10, 'de'))
  expect(withoutSeen(end(11), 10)).toEqual(end(11))
})
