import { afterAll, beforeAll, expect, test } from 'vitest'
import { startApp, type TestApp, testPassword } from '../support/app.ts'
import { readOperations } from '../support/operations.ts'

let server: TestApp
let email: string
let token = ''

beforeAll(async () => {
  server = await startApp({
    SIGNUP_LIMIT_PER_HOUR: '100000000',
    CODE_LIMIT_PER_NETWORK_PER_HOUR: '100000000',
    LOGIN_LIMIT_PER_NETWORK_PER_HOUR: '100000000',
    LOGIN_LIMIT_PER_HOUR: '100000000',
  })
  ;({ email, token } = await server.signUp())
})
afterAll(() => server[Symbol.asyncDispose]())

/** Some operations end the session. */
async function staySignedIn(): Promise<void> {
  if ((await server.call('GET', '/api/v1/me', { token })).status === 200) return
  const answer = await server.call('POST', '/api/v1/sessions', { body: { email, password: testPassword } })
  token = answer.body.data.accessToken
}

const methods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']
const json = { 'content-type': 'application/json' }
const bodies: { body?: string; headers?: Record<string, string> }[] = [
  { headers: json },
  { body: '{"', headers: json },
  { body: '[null]', headers: json },
  { body: 'a=b', headers: { 'content-type': 'application/x-www-form-urlencoded' } },
]

test('L01: every path answers every method, with no body, a broken one and one of a wrong type', async () => {
  const paths = [...new Set((await readOperations(server)).map(({ path }) => path))]
  expect(paths.length).toBeGreaterThan(50)
  const failed: string[] = []
  for (const path of paths) {
    await staySignedIn()
    const url = path.replaceAll(/\{[^}]+\}/g, '01900000-0000-7000-8000-000000000000')
    const tries = methods.flatMap(method =>
      (method === 'GET' || method === 'HEAD' ? bodies.slice(0, 1) : bodies).map(each => ({
        method,
        ...each,
      })),
    )
    await Promise.all(
      tries.map(async ({ method, body, headers }) => {
        const response = await fetch(server.url + url, {
          method,
          ...(body === undefined ? {} : { body }),
          headers: { authorization: `Bearer ${token}`, ...headers },
          redirect: 'manual',
        })
        const { status } = response
        const text = await response.text()
        const isRefusal = status >= 400 && method !== 'HEAD'
        const isTold = !isRefusal || /^{.*"message":"/.test(text)
        if (status >= 500 || !isTold)
          failed.push(`${method} ${path} ${body} ${JSON.stringify(headers)}: ${status} ${text.slice(0, 200)}`)
      }),
    )
  }
  expect(failed).toEqual([])
  expect((await server.call('GET', '/health/ready')).body.status).toBe('ready')
}, 180_000)
