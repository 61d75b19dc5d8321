import { expect, inject, test } from 'vitest'
import { startApp, testPassword } from '../support/app.ts'
import { callFrom, openOtherOrigin } from './page.ts'

interface Played {
  sessionId: string | null
  text: string
  ids: { conversationId?: string; messageId?: string }
  artifacts: { id: string; title: string; language: string; code: string }[]
  reads: number
  /** Lines that were no whole frame. */
  lost: number
  isDone: boolean
}

/**
 * The existing client's reading of a stream: it decodes each network read alone and splits it on newlines, so that a
 * frame that is cut between two reads is lost; for an artifact it asks for the code at once.
 */
async function play([url, token, body]: readonly [string, string, object]): Promise<Played> {
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
  const response = await fetch(`${url}/api/chat/send`, {
    method: 'POST',
    headers,
    body: JSON.stringify(body),
  })
  const played: Played = {
    sessionId: response.headers.get('x-stream-session-id'),
    ...{ text: '', ids: {}, artifacts: [], reads: 0, lost: 0, isDone: false },
  }
  const reader = response.body?.getReader()
  for (;;) {
    const read = await reader?.read()
    if (!read || read.done) return played
    played.reads++
    for (const line of new TextDecoder().decode(read.value).split('\n')) {
      if (line === '' || line.startsWith('id: ') || line.startsWith(':')) continue
      if (line === 'data: [DONE]') {
        played.isDone = true
        continue
      }
      try {
        const { type, data } = JSON.parse(line.slice(6))
        if (type === 'metadata') played.ids = data
        if (type === 'chunk' && data.text) played.text += data.text
        if (type === 'chunk' && data.type === 'artifact') {
          const { id, title, language } = data.artifact
          const code = await fetch(`${url}/api/artifacts/${id}/code`, { headers })
          played.artifacts.push({ id, title, language, code: ((await code.json()) as { code: string }).code })
        }
      } catch {
        played.lost++
      }
    }
  }
}

/** What a page runs to show an address in a frame, and to hear who says what from there. */
const framed = (address: string) => `new Promise(resolve => {
  const frame = document.createElement('iframe')
  frame.setAttribute('sandbox', 'allow-scripts allow-same-origin')
  frame.src = ${JSON.stringify(address)}
  window.addEventListener('message', event => resolve(event.origin + ' ' + event.data?.type))
  document.body.append(frame)
})`

test.skipIf(!inject('machine').chromium)('the existing client works from another origin', async () => {
  await using elsewhere = await openOtherOrigin()
  await using server = await startApp({ CORS_ORIGINS: elsewhere.origin, SANDBOX_DELAY_MS: '5' })
  await using client = await elsewhere.open()
  const { page } = client
  const { email } = await server.signUp()
  const credentials = { method: 'POST', body: { email, password: testPassword } }
  const login = await callFrom(page, server.url, '/api/auth/login', credentials)
  expect(login.body.user).toMatchObject({
    ...{ username: expect.any(String), email, credits: expect.any(Number) },
  })
  const { token } = login.body
  const headers = { authorization: `Bearer ${token}` }
  const call = (path: string, method = 'GET', body?: unknown) =>
    callFrom(page, server.url, `/api${path}`, { method, headers, ...(body ? { body } : {}) })

  const first = await page.evaluate(play, [
    server.url,
    token,
    { message: 'Create a React todo list' },
  ] as const)
  expect(first).toMatchObject({ lost: 0, isDone: true, sessionId: expect.any(String) })
  expect(first.artifacts).toHaveLength(1)
  const [artifact] = first.artifacts
  expect(first.text).toContain(artifact?.code.trim())
  // Not one read for all: frames come as they are made.
  expect(first.reads).toBeGreaterThan(3)
  const { conversationId } = first.ids
  const second = await page.evaluate(play, [
    server.url,
    token,
    { message: 'Write it in Chinese and with emoji: 你好 🎉', conversationId },
  ] as const)
  expect(second).toMatchObject({ lost: 0, isDone: true, ids: { conversationId } })

  const { conversations } = (await call('/conversations')).body
  const [shown] = conversations
  expect(shown.title.toLowerCase()).toContain('todo')
  expect(Number.isNaN(new Date(shown.updatedAt).getTime())).toBe(false)
  const { messages } = (await call(`/conversations/${conversationId}`)).body.conversation
  expect(messages.map((each: { role: string }) => each.role)).toEqual([
    ...['USER', 'ASSISTANT', 'USER', 'ASSISTANT'],
  ])
  expect(messages.every((each: { artifacts: unknown }) => Array.isArray(each.artifacts))).toBe(true)
  expect(messages[1].content).toBe(first.text)
  const bundle = await call(`/artifacts/${artifact?.id}/bundle`, 'POST')
  expect(bundle.body.success).toBe(true)

  // The page shows what was built in a frame, by the address with the token, as that client does.
  const heard = await page.evaluate(
    framed(`${server.url}/api/artifacts/${artifact?.id}/preview?token=${token}`),
  )
  // The page's headers win over what the frame allows: it stands on an origin of its own.
  expect(heard).toBe('null ready')
  const lacking = await callFrom(page, server.url, '/api/conversations')
  expect([lacking.status, lacking.body.message]).toEqual([200, undefined])
  expect((await call('/conversations/none')).body.message).toBe('Conversation not found')
  expect((await call(`/conversations/${conversationId}`, 'DELETE')).status).toBe(200)
  expect(client.problems).toEqual([])
})
