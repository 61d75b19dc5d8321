import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startApp, type TestApp } from '../support/app.ts'
import { type Json, openIo, openSocket, readEvents, textOf } from '../support/sockets.ts'

let site: TestApp
let token: string
let other: string

beforeAll(async () => {
  site = await startApp({ SANDBOX_DELAY_MS: '4' })
  token = (await site.signUp()).token
  other = (await site.signUp()).token
})
afterAll(() => site[Symbol.asyncDispose]())

const bearer = (value = token) => ({ authorization: `Bearer ${value}` })
const raw = (value = token) => openSocket(`${site.url}/api/v1/socket`, { headers: bearer(value) })
const socketIo = (value = token, options = {}) => openIo(site.url, { auth: { token: value }, ...options })
const eventsUrl = (id: string) => `${site.url}/api/v1/generations/${id}/events`

async function poll(id: string): Promise<Json[]> {
  const events: Json[] = []
  for (let after = 0; ; ) {
    const { body } = await site.call('GET', `/api/v1/generations/${id}/events?after=${after}`, { token })
    events.push(...body.data.events)
    after = body.data.lastSeq
    if (body.data.done) return events
    await new Promise(resolve => setTimeout(resolve, 15))
  }
}

/** Events with neighbouring texts joined: what remains when the cuts between frames do not count. */
function merged(events: readonly Json[]): Json[] {
  const result: Json[] = []
  for (const event of events) {
    const last = result.at(-1)
    if (last?.type === event.type && event.text !== undefined)
      result[result.length - 1] = { ...event, text: last.text + event.text }
    else result.push(event)
  }
  return result
}

describe('one generation on four wires', () => {
  test('is the same byte for byte, live and stored', async () => {
    const asking = await raw()
    const [following, io, polling] = [
      await raw(),
      await socketIo(),
      await socketIo(token, { transports: ['polling'] }),
    ]
    const started = await asking.ask({ type: 'start', message: 'Write about the sea, at length' })
    expect(started).toMatchObject({ type: 'started', generation: { status: 'running' } })
    const id = started.generation.id
    await following.ask({ type: 'follow', generationId: id })
    await io.ask('follow', { generationId: id })
    await polling.ask('follow', { generationId: id, after: 0 })
    const changing = await socketIo(token, { transports: ['polling', 'websocket'] })
    await changing.ask('follow', { generationId: id })
    const all = await Promise.all([
      asking.whole(id),
      following.whole(id),
      io.whole(id),
      polling.whole(id),
      changing.whole(id),
      readEvents(eventsUrl(id), { headers: { ...bearer(), accept: 'text/event-stream' } }),
      poll(id),
    ])
    const { body } = await site.call('GET', `/api/v1/conversations/${started.conversationId}`, { token })
    const { content } = body.data.messages.at(-1)
    expect(content.length).toBeGreaterThan(100)
    for (const events of all) {
      expect(textOf(events)).toBe(content)
      expect(merged(events)).toEqual(merged(all[0]))
      expect(events.at(-1)).toMatchObject({ type: 'generation-end', status: 'completed' })
    }
    for (const socket of [asking, following]) socket.webSocket.close()
    for (const client of [io, polling, changing]) client.close()
  })

  test('goes on exactly from any position, while it runs and afterwards', async () => {
    const socket = await raw()
    const io = await socketIo()
    const { generation } = await socket.ask({ type: 'start', message: 'Write about the sea, at length' })
    const id = generation.id
    const cuts: { after: number; rest: Promise<Json[]> }[] = []
    const take = async (after: number, resume: (after: number) => Promise<Json[]>) =>
      cuts.push({ after, rest: resume(after) })
    const byRaw = async (after: number) => {
      const own = await raw()
      own.send({ type: 'follow', generationId: id, after })
      const events = await own.whole(id)
      own.webSocket.close()
      return events
    }
    const byIo = async (after: number) => {
      const own = await socketIo()
      await own.ask('resume', { generationId: id, after })
      const events = await own.whole(id)
      own.close()
      return events
    }
    for (let round = 0; round < 12; round++) {
      await socket.frame(frame => frame.type === 'events' && frame.events.at(-1).seq > round * 25)
      const seen = socket.events(id).at(-1).seq
      await take(Math.floor(Math.random() * seen), round % 2 ? byRaw : byIo)
    }
    const whole = await socket.whole(id)
    for (let round = 0; round < 12; round++) {
      await take(Math.floor(Math.random() * (whole.at(-1).seq + 1)), round % 2 ? byRaw : byIo)
    }
    const text = textOf(whole)
    for (const { after, rest } of cuts) {
      const events = await rest
      const first = whole.findIndex(event => event.seq > after)
      const missed = whole.slice(first).map(event => ({ ...event }))
      const before = missed[0]?.text === undefined ? 0 : after - (missed[0].seq - missed[0].text.length)
      if (first >= 0 && before > 0) missed[0].text = missed[0].text.slice(before)
      expect(merged(events)).toEqual(first < 0 ? [] : merged(missed))
      expect(text.endsWith(textOf(events))).toBe(true)
    }
    socket.webSocket.close()
    io.close()
  })
})

describe('a raw socket', () => {
  test('stops, does again and goes on with answers, and says so in one answer each', async () => {
    const socket = await raw()
    const first = await socket.ask({ type: 'start', message: 'Write about the sea, at length' })
    await socket.frame(
      frame => frame.type === 'events' && frame.events.some((event: Json) => event.type === 'text-delta'),
    )
    const stopped = await socket.ask({ type: 'cancel', generationId: first.generation.id })
    expect(stopped).toMatchObject({ type: 'cancelled', generation: { status: 'cancelled' } })
    const cut = await socket.whole(first.generation.id)
    expect(cut.at(-1)).toMatchObject({ type: 'generation-end', status: 'cancelled' })
    const more = await socket.ask({ type: 'continue', generationId: first.generation.id, maxOutputTokens: 5 })
    expect(more).toMatchObject({ type: 'started', replyId: first.replyId })
    await socket.whole(more.generation.id)
    const again = await socket.ask({ type: 'regenerate', generationId: more.generation.id })
    expect(again).toMatchObject({ type: 'started', messageId: first.messageId })
    expect((await socket.whole(again.generation.id)).at(-1)).toMatchObject({ status: 'completed' })
    socket.webSocket.close()
  })

  test('keeps questions of one conversation in their order', async () => {
    const socket = await raw()
    const { conversationId, generation } = await socket.ask({ type: 'start', message: 'zero' })
    await socket.whole(generation.id)
    const answers = await Promise.all(
      ['one', 'two', 'three', 'four'].map(message => socket.ask({ type: 'start', message, conversationId })),
    )
    await Promise.all(answers.map(answer => socket.whole(answer.generation.id)))
    const { body } = await site.call('GET', `/api/v1/conversations/${conversationId}`, { token })
    const asked = body.data.messages.filter((message: Json) => message.role === 'user')
    expect(asked.map((message: Json) => message.content)).toEqual(['zero', 'one', 'two', 'three', 'four'])
    socket.webSocket.close()
  })

  test('answers a message that is sent again with the generation it began, on any wire', async () => {
    const socket = await raw()
    const io = await socketIo()
    const ask = { message: 'Write about the sea', clientMessageId: `mine ${Math.random()}` }
    const [one, two, three] = await Promise.all([
      socket.ask({ type: 'start', ...ask }),
      socket.ask({ type: 'start', ...ask }),
      io.ask('start', ask),
    ])
    expect(two.generation.id).toBe(one.generation.id)
    expect(three.data.generation.id).toBe(one.generation.id)
    const rest = await site.call('POST', '/api/v1/generations', {
      token,
      body: { message: ask.message, background: true },
      headers: { 'idempotency-key': ask.clientMessageId },
    })
    expect(rest.body.data.generation.id).toBe(one.generation.id)
    // Asked twice on one socket: where the answer had ended in between, it was told twice.
    const events = await socket.whole(one.generation.id)
    const once = events.slice(0, events.findIndex(event => event.type === 'generation-end') + 1)
    expect(textOf(await io.whole(one.generation.id))).toBe(textOf(once))
    const changed = await socket.ask({ type: 'start', ...ask, message: 'something else' })
    expect(changed).toMatchObject({ type: 'error', code: 'IDEMPOTENCY_KEY_REUSED' })
    socket.webSocket.close()
    io.close()
  })

  test('follows until told not to, and leaves answers running when it goes', async () => {
    const socket = await raw()
    const { generation } = await socket.ask({ type: 'start', message: 'Write about the sea, at length' })
    expect(await socket.ask({ type: 'unfollow', generationId: generation.id })).toMatchObject({
      type: 'unfollowed',
    })
    const before = socket.events(generation.id).length
    expect(await socket.ask({ type: 'ping' })).toMatchObject({ type: 'pong' })
    expect(socket.events(generation.id).length).toBe(before)
    socket.webSocket.close()
    await socket.closed
    const events = await readEvents(eventsUrl(generation.id), {
      headers: { ...bearer(), accept: 'text/event-stream' },
    })
    expect(events.at(-1)).toMatchObject({ status: 'completed' })
  })

  test('stops what it started with onDisconnect: cancel when it goes', async () => {
    const socket = await raw()
    const { generation } = await socket.ask({
      type: 'start',
      message: 'Write about the sea, at length',
      onDisconnect: 'cancel',
    })
    await socket.frame(frame => frame.type === 'events')
    socket.webSocket.terminate()
    const events = await readEvents(eventsUrl(generation.id), {
      headers: { ...bearer(), accept: 'text/event-stream' },
    })
    expect(events.at(-1)).toMatchObject({ status: 'cancelled' })
  })

  test('says at once that an ended answer has no more', async () => {
    const socket = await raw()
    const { generation } = await socket.ask({ type: 'start', message: 'hello' })
    const end = (await socket.whole(generation.id)).at(-1)
    const again = await raw()
    again.send({ type: 'follow', generationId: generation.id, after: end.seq })
    expect(await again.whole(generation.id)).toEqual([])
    for (const each of [socket, again]) each.webSocket.close()
  })
})

describe('Socket.IO', () => {
  test('tells every tab of the account when an answer begins and ends, and nobody else', async () => {
    const [tab, otherTab, stranger] = [await socketIo(), await socketIo(), await socketIo(other)]
    const { data } = await tab.ask('start', { message: 'Write about the sea' })
    for (const listener of [tab, otherTab]) {
      const ended = await listener.hear('generation', told => told.phase === 'ended')
      expect(ended).toMatchObject({ generationId: data.generation.id, generation: { status: 'completed' } })
      expect(listener.told.find(({ event }) => event === 'generation')?.payload).toMatchObject({
        phase: 'started',
        generationId: data.generation.id,
        conversationId: data.conversationId,
      })
    }
    expect(otherTab.events(data.generation.id)).toEqual([])
    const own = await stranger.ask('start', { message: 'hello' })
    await stranger.whole(own.data.generation.id)
    await stranger.hear('generation', told => told.phase === 'ended')
    expect(new Set(stranger.told.map(({ payload }) => payload.generationId))).toEqual(
      new Set([own.data.generation.id]),
    )
    for (const client of [tab, otherTab, stranger]) client.close()
  })

  test('has no rooms to join, and names what is not known', async () => {
    const victim = await socketIo()
    const stranger = await socketIo(other, { query: { userId: 'x' } })
    const { data } = await victim.ask('start', { message: 'Write about the sea, at length' })
    for (const [event, payload] of [
      ['join', `account:${data.generation.id}`],
      ['subscribe', { room: ['account', data.generation.id] }],
      ['join', [data.generation.id]],
    ] as const) {
      expect(await stranger.ask(event, payload)).toMatchObject({ success: false, code: 'UNKNOWN_EVENT' })
    }
    stranger.socket.emit('join', data.generation.id)
    expect(await stranger.hear('error')).toMatchObject({ event: 'join', code: 'UNKNOWN_EVENT' })
    for (const event of ['follow', 'resume', 'cancel', 'continue', 'regenerate']) {
      const answer = await stranger.ask(event, { generationId: data.generation.id })
      expect(answer).toMatchObject({ success: false, code: 'NOT_FOUND', message: 'Generation not found' })
    }
    await victim.whole(data.generation.id)
    expect(stranger.told.filter(({ event }) => event !== 'error')).toEqual([])
    for (const client of [victim, stranger]) client.close()
  })
})

describe('what belongs to somebody else', () => {
  test('is not there, in the same words as what never was', async () => {
    const [mine, theirs] = [await raw(), await raw(other)]
    const { generation, conversationId } = await mine.ask({
      type: 'start',
      message: 'Write about the sea, at length',
    })
    const unknown = '01900000-0000-7000-8000-000000000000'
    const without = ({ id: _, ...frame }: Json) => frame
    for (const type of ['follow', 'cancel', 'continue', 'regenerate']) {
      const foreign = without(await theirs.ask({ type, generationId: generation.id }))
      expect(foreign).toMatchObject({ type: 'error', code: 'NOT_FOUND' })
      expect(foreign).toEqual(without(await theirs.ask({ type, generationId: unknown })))
      expect(foreign).toEqual(without(await theirs.ask({ type, generationId: 'x' })))
    }
    const foreign = without(await theirs.ask({ type: 'start', message: 'hello', conversationId }))
    expect(foreign).toMatchObject({ code: 'NOT_FOUND', message: 'Conversation not found' })
    expect((await mine.whole(generation.id)).at(-1)).toMatchObject({ status: 'completed' })
    expect(theirs.frames.filter(frame => frame.type !== 'error')).toEqual([])
    for (const socket of [mine, theirs]) socket.webSocket.close()
  })
})
