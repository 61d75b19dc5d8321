import { expect, inject, test } from 'vitest'
import { startApp, testPassword } from '../support/app.ts'
import { openBrowser } from '../support/browser.ts'

/** What a page does: signs up, opens a socket with the cookie that it cannot see, asks, and reads until the end. */
const script = (password: string) => `(async () => {
  await fetch('/api/v1/accounts', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ email: 'page@example.com', password: ${JSON.stringify(password)} }),
  })
  const types = []
  const socket = new WebSocket(location.origin.replace('http', 'ws') + '/api/v1/socket')
  socket.onopen = () => socket.send(JSON.stringify({ type: 'start', message: 'hello' }))
  return new Promise((resolve, reject) => {
    socket.onerror = () => reject(new Error('refused'))
    socket.onmessage = ({ data }) => {
      types.push(JSON.parse(data).type)
      if (types.at(-1) === 'done') resolve(types)
    }
  })
})()`

test.skipIf(!inject('machine').chromium)('a page of ours opens a socket with its cookie', async () => {
  await using site = await startApp()
  await using chromium = await openBrowser()
  const { page } = await chromium.open(`${site.url}/health`)
  const types = (await page.evaluate(script(testPassword))) as string[]
  expect(types[0]).toBe('started')
  expect(types).toContain('events')
})
