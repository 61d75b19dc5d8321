import { afterAll, beforeAll, expect, test } from 'vitest'
import { type ScriptedProvider, startProvider } from '../provider/index.ts'
import { startApp, type TestApp } from '../support/app.ts'

let provider: ScriptedProvider
let server: TestApp
let token: string
beforeAll(async () => {
  provider = await startProvider()
  server = await startApp({
    OPENAI_API_KEY: 'a key',
    OPENAI_BASE_URL: provider.baseUrls.openai,
    DEFAULT_MODEL: 'openai/gpt-5',
    ALLOW_ANY_MODEL: 'true',
  })
  await server.app.work()
  token = (await server.signUp()).token
})
afterAll(async () => {
  await server?.[Symbol.asyncDispose]()
  await provider?.[Symbol.asyncDispose]()
})

/** Sends a message and follows its status to the end. */
async function send(content: string) {
  const room = await server.call('POST', '/api/chatroom', { token, body: { name: 'Trouble' } })
  const { id: roomId } = room.body.chatroom
  const sent = await server.call('POST', `/api/chatroom/${roomId}/message`, { token, body: { content } })
  const path = `/api/chatroom/message/${sent.body.message.id}/status`
  const seen: { status: string; tries: number }[] = []
  await expect
    .poll(
      async () => {
        const { message } = (await server.call('GET', path, { token })).body
        seen.push({ status: message.processing_status, tries: (await provider.requests()).length })
        return message.processing_status
      },
      { timeout: 60_000, interval: 200 },
    )
    .toMatch(/^(completed|failed)$/)
  const { messages } = (await server.call('GET', `/api/chatroom/${roomId}`, { token })).body
  return { seen, messages, end: seen.at(-1)?.status }
}

test('a message fails only after the last attempt, and has no answer then', async () => {
  const trouble = { status: 503 }
  await provider.script(trouble, trouble, trouble)
  const { seen, messages, end } = await send('Hello')
  expect(end).toBe('failed')
  expect(seen.at(-1)?.tries).toBe(3)
  expect(seen.slice(0, -1).every(({ status }) => status === 'pending' || status === 'processing')).toBe(true)
  // Once it was begun, it does not wait for its first attempt again.
  const begun = seen.findIndex(({ status }) => status === 'processing')
  expect(seen.slice(begun, -1).every(({ status }) => status === 'processing')).toBe(true)
  expect(messages).toEqual([
    expect.objectContaining({ message_type: 'user', content: 'Hello', processing_status: 'failed' }),
  ])
}, 90_000)

test('a message whose first attempt fails is answered by the next', async () => {
  await provider.clear()
  await provider.script({ status: 503 }, { text: 'at last' })
  const { messages, end } = await send('Hello again')
  expect(end).toBe('completed')
  expect(messages.map((one: { content: string }) => one.content)).toEqual(['Hello again', 'at last'])
}, 90_000)
