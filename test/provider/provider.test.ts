import { afterAll, beforeAll, expect, test } from 'vitest'
import { type ScriptedProvider, startProvider } from './index.ts'

let provider: ScriptedProvider
beforeAll(async () => {
  provider = await startProvider({ tokens: 3 })
})
afterAll(() => provider.close())

async function ask(body: object): Promise<Response> {
  return fetch(`${provider.baseUrls.openai}/chat/completions`, {
    method: 'POST',
    headers: { authorization: 'Bearer secret-key' },
    body: JSON.stringify(body),
  })
}

const say = (content: string) => [{ role: 'user', content }]

test('answers in one piece when no stream is asked for', async () => {
  const answer = await (await ask({ model: 'm', messages: say('hi') })).json()
  expect(answer).toMatchObject({
    choices: [{ message: { role: 'assistant', content: 'tok0 tok1 tok2' }, finish_reason: 'stop' }],
    usage: { prompt_tokens: 12, completion_tokens: 3 },
  })
})

test('a script is chosen by the queue, then by a marker in the prompt, then by the model’s name', async () => {
  await provider.script({ status: 418 })
  const asked = { model: 'x/unavailable', messages: say('please [[script:rate-limited]]'), stream: true }
  expect((await ask(asked)).status).toBe(418)
  expect((await ask(asked)).status).toBe(429)
  expect((await ask({ ...asked, messages: say('please') })).status).toBe(503)
  expect((await ask({ model: 'm', messages: say('[[script:{"status":402}]]') })).status).toBe(402)
})

test('the log holds what was asked and how far the answer came, and never a key', async () => {
  await provider.clear()
  await (await ask({ model: 'm', messages: say('hi there'), stream: true })).text()
  const [request, ...others] = await provider.waitFor(log => log[0]?.finishedAt !== null)
  expect(others).toEqual([])
  expect(request).toMatchObject({
    wire: 'chat',
    model: 'm',
    prompt: 'hi there',
    tokensSent: 3,
    clientClosedAt: null,
  })
  expect(request?.auth?.header).toBe('authorization')
  expect(JSON.stringify(request)).not.toContain('secret-key')
})

test('a client that leaves is seen, with what it had got', async () => {
  await provider.clear()
  const controller = new AbortController()
  const body = JSON.stringify({ model: 'slow', messages: say('hi'), stream: true })
  const response = await fetch(`${provider.baseUrls.openai}/chat/completions`, {
    method: 'POST',
    body,
    signal: controller.signal,
  })
  await response.body?.getReader().read()
  controller.abort()
  const [request] = await provider.waitFor(log => log[0]?.clientClosedAt !== null)
  expect(request?.finishedAt).toBeNull()
  expect(request?.tokensSent).toBeLessThan(200)
})

test('a preset that does not exist is a mistake of the test', async () => {
  await expect(provider.script('no-such-thing')).rejects.toThrow('no preset script')
})
