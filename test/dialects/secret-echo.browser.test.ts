import { expect, inject, test } from 'vitest'
import { startApp } from '../support/app.ts'
import { openOtherOrigin } from './page.ts'

interface Heard {
  chat: string[]
  code: { response: string; isFinal: boolean }[]
  ignored: number
  isWaiting: boolean
  closed: string
}

/**
 * The existing front end on its socket: it takes a frame only if `type` is chat or code and `response` is truthy, passes over
 * `status` and `setupComplete`, and stops waiting only for a frame that it takes. After the last it closes.
 */
const play = (address: string, messages: readonly string[], pluginId: string) => `new Promise(resolve => {
  const heard = { chat: [], code: [], ignored: 0, isWaiting: false, closed: '' }
  const left = ${JSON.stringify(messages)}
  const socket = new WebSocket(${JSON.stringify(address)})
  const next = () => {
    const message = left.shift()
    if (message === undefined) return socket.close()
    heard.isWaiting = true
    socket.send(JSON.stringify({ message, pluginId: ${JSON.stringify(pluginId)} }))
  }
  let settle
  socket.onopen = next
  socket.onclose = event => {
    heard.closed = event.code + ' ' + event.reason
    resolve(heard)
  }
  socket.onmessage = ({ data }) => {
    const frame = JSON.parse(data)
    if (!['chat', 'code'].includes(frame.type) || !frame.response) {
      if (frame.status === undefined && frame.setupComplete === undefined) heard.ignored++
      return
    }
    heard.isWaiting = false
    if (frame.type === 'chat') heard.chat.push(frame.response)
    else heard.code.push({ response: frame.response, isFinal: frame.isFinal })
    clearTimeout(settle)
    settle = setTimeout(next, 500)
  }
})`

test.skipIf(!inject('machine').chromium)('the existing front end works from another origin', async () => {
  await using elsewhere = await openOtherOrigin()
  await using server = await startApp({ CORS_ORIGINS: elsewhere.origin, SECRET_ECHO_HISTORY: 'object' })
  await using client = await elsewhere.open()
  const { page } = client
  // Its REST calls go through a proxy of its own, so they carry no origin.
  const person = { email: 'front@example.com', password: 'password123', first_name: 'Ada', last_name: 'L' }
  const signup = await server.call('POST', '/api/v1/auth/signup', { body: person })
  expect(signup.body).toMatchObject({ success: true, data: { email: person.email } })
  const { token } = signup.body.data
  const call = (method: string, path: string, body?: unknown) =>
    server.call(method, `/api/v1${path}`, { token, ...(body ? { body } : {}) })
  const me = await call('GET', '/users/me')
  expect(me.body).toMatchObject({ success: true, data: { first_name: 'Ada', last_name: 'L' } })
  const { pluginId } = (await call('POST', '/plugin/plugin-generator', { pluginName: 'Wrap' })).body.data
  const [listed] = (await call('GET', '/plugin/plugin-generators')).body.data
  expect(listed).toMatchObject({ pluginId, pluginName: 'Wrap', isFinal: false })

  const address = `${server.url.replace('http', 'ws')}/plugin_generator?plugin_id=${pluginId}&token=${token}`
  // Too early a "Finalize" is refused; the client must be able to go on.
  const messages = ['Finalize', 'Create a WooCommerce plugin for gift wrapping', 'Finalize']
  const heard = (await page.evaluate(play(address, messages, pluginId))) as Heard
  expect(heard).toMatchObject({ ignored: 0, isWaiting: false })
  expect(heard.chat[0]).toContain('Say first')
  expect(heard.code.map(each => each.isFinal)).toEqual([false, true])
  const { data } = (await call('GET', `/plugin/plugin-generator/chat-history?plugin_id=${pluginId}`)).body
  expect(data.lastCode).toBe(heard.code[1]?.response)
  for (const line of data.chat)
    expect(line).toMatchObject({ sender: expect.any(String), content: expect.any(String) })
  expect((await call('GET', '/plugin/plugin-generators')).body.data[0].isFinal).toBe(true)
  expect((await call('POST', '/auth/logout')).body.success).toBe(true)
  const refused = (await page.evaluate(play(address, ['hello'], pluginId))) as Heard
  expect(refused.closed).toMatch(/^1008 Unauthorized: /)
  expect(client.problems).toEqual([])
})
