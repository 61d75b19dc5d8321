import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startApp, type TestApp } from '../support/app.ts'

let server: TestApp
let token: string

beforeAll(async () => {
  server = await startApp()
  token = (await server.signUp()).token
})
afterAll(() => server[Symbol.asyncDispose]())

async function ask(message: string, conversationId?: string) {
  const body = { message, stream: false, ...(conversationId ? { conversationId } : {}) }
  const { status, body: answer } = await server.call('POST', '/api/v1/generations', { token, body })
  expect(status).toBe(200)
  return answer.data.generation as { id: string; conversationId: string; replyId: string }
}

const get = async (path: string) => (await server.call('GET', `/api/v1${path}`, { token })).body.data

describe('conversations', () => {
  test('begin with a message, go on, are read, renamed, searched and deleted', async () => {
    const first = await ask('Tell me about the Baltic sea')
    await ask('And its amber?', first.conversationId)
    const path = `/conversations/${first.conversationId}`
    const read = await get(path)
    expect(read.conversation).toMatchObject({
      title: 'Tell me about the Baltic sea',
      messageCount: 4,
      kind: 'chat',
    })
    expect(read.messages.map((message: { role: string }) => message.role)).toEqual([
      'user',
      'assistant',
      'user',
      'assistant',
    ])
    expect(read.messages[3].generation).toMatchObject({ status: 'completed' })
    expect(read.hasMore).toBe(false)
    const page = await get(`${path}?limit=2`)
    expect(page.messages.map((message: { position: number }) => message.position)).toEqual([3, 4])
    expect(page.hasMore).toBe(true)
    const renamed = await server.call('PATCH', `/api/v1${path}`, { token, body: { title: 'Amber' } })
    expect(renamed.body.data.conversation.title).toBe('Amber')
    expect((await get('/conversations?search=AMBER')).conversations).toHaveLength(1)
    expect((await get('/conversations?search=baltic%20sea')).conversations).toHaveLength(1)
    expect((await get('/conversations?search=nothing-of-it')).conversations).toHaveLength(0)
    expect((await server.call('DELETE', `/api/v1${path}`, { token })).status).toBe(200)
    expect((await server.call('GET', `/api/v1${path}`, { token })).status).toBe(404)
    expect((await server.call('GET', `/api/v1/generations/${first.id}`, { token })).status).toBe(404)
  })

  test('are listed in pages, the one last written to first, each exactly once', async () => {
    const person = await server.signUp()
    for (let index = 0; index < 7; index++) {
      await server.call('POST', '/api/v1/conversations', {
        token: person.token,
        body: { title: `c${index}` },
      })
    }
    const titles: string[] = []
    let cursor: string | null = ''
    while (cursor !== null) {
      const query: string = cursor ? `&cursor=${cursor}` : ''
      const { body } = await server.call('GET', `/api/v1/conversations?limit=3${query}`, {
        token: person.token,
      })
      titles.push(...body.data.conversations.map((each: { title: string }) => each.title))
      cursor = body.data.nextCursor
    }
    expect(titles).toEqual(['c6', 'c5', 'c4', 'c3', 'c2', 'c1', 'c0'])
  })

  test('keep the answers that were given before', async () => {
    const first = await ask('Write a caption for a photo of a lake')
    const again = await server.call('POST', `/api/v1/generations/${first.id}/regenerate`, {
      token,
      body: { stream: false },
    })
    expect(again.status).toBe(200)
    const { messages } = await get(`/conversations/${first.conversationId}/messages/2/versions`)
    expect(messages.map((message: { id: string; version: number }) => [message.id, message.version])).toEqual(
      [
        [first.replyId, 1],
        [again.body.data.generation.replyId, 2],
      ],
    )
    const stranger = (await server.signUp()).token
    const path = `/api/v1/conversations/${first.conversationId}/messages/2/versions`
    expect((await server.call('GET', path, { token: stranger })).status).toBe(404)
    expect((await server.call('GET', path.replace('/2/', '/9/'), { token })).status).toBe(404)
  })

  test('are stopped when they are deleted while an answer is written', async () => {
    await using slow = await startApp({ SANDBOX_DELAY_MS: '50' })
    const person = await slow.signUp()
    const started = await slow.call('POST', '/api/v1/generations', {
      token: person.token,
      body: { message: 'Write a long blog post', background: true },
    })
    const { conversationId } = started.body.data
    expect(
      (await slow.call('DELETE', `/api/v1/conversations/${conversationId}`, { token: person.token })).status,
    ).toBe(200)
    expect(
      (await slow.call('GET', '/api/v1/conversations', { token: person.token })).body.data.conversations,
    ).toEqual([])
  })
})
