import { afterAll, beforeAll, expect, test } from 'vitest'
import { startApp, type TestApp } from '../support/app.ts'
import { upgradeStatus } from '../support/sockets.ts'

let server: TestApp

beforeAll(async () => {
  server = await startApp({ OTP_ECHO: 'true' })
})
afterAll(() => server[Symbol.asyncDispose]())

const kinds = ['access', 'refresh', 'ticket', 'preview', 'file', 'reset', 'deletion', 'csrf'] as const
type Kind = (typeof kinds)[number]

/** One token of each kind, all of one person: those that sign in, those that links carry, and those that prove. */
async function makeTokens(): Promise<Record<Kind, string>> {
  const email = `kinds-${Date.now()}-${Math.random()}@example.com`
  const password = 'correct horse battery'
  const { body } = await server.call('POST', '/api/v1/accounts', { body: { email, password } })
  const token: string = body.data.accessToken
  const asked = await server.call('POST', '/api/v1/generations', {
    token,
    body: { message: 'Create a React button component', stream: false },
  })
  const { conversationId } = asked.body.data.generation
  const read = await server.call('GET', `/api/v1/conversations/${conversationId}`, { token })
  const artifact = `/api/v1/artifacts/${read.body.data.messages[1].artifacts[0].id}`
  const preview = await server.call('POST', `${artifact}/preview`, { token })
  const file = await server.call('GET', `${artifact}/download`, { token })
  const ticket = await server.call('POST', '/api/v1/tickets', { token })
  const csrf = await server.call('GET', '/api/v1/csrf-token', { token })
  const prove = async (purpose: string) => {
    const sent = await server.call('POST', '/api/v1/codes', { body: { email, purpose } })
    const check = { email, purpose, code: sent.body.data.otp }
    const answer = await server.call('POST', '/api/v1/codes/verify', { body: check })
    return answer.body.data.verificationToken as string
  }
  const tokenIn = (url: string) => new URL(url, server.url).pathname.split('/').slice(2).join('/')
  return {
    access: token,
    refresh: body.data.refreshToken,
    ticket: ticket.body.data.ticket,
    preview: tokenIn(preview.body.data.url),
    file: tokenIn(file.body.data.url),
    reset: await prove('password-reset'),
    deletion: await prove('account-deletion'),
    csrf: csrf.body.data.csrfToken,
  }
}

/** Where each kind opens something; gives the status. */
const doors: Record<Kind, (token: string, own: Record<Kind, string>) => Promise<number>> = {
  access: async token => (await server.call('GET', '/api/v1/me', { token })).status,
  refresh: async refreshToken =>
    (await server.call('POST', '/api/v1/sessions/refresh', { body: { refreshToken } })).status,
  ticket: token => upgradeStatus(`${server.url}/api/v1/socket?ticket=${encodeURIComponent(token)}`),
  preview: async token => (await server.call('GET', `/preview/${token}`)).status,
  file: async token => (await server.call('GET', `/files/${token}`)).status,
  reset: async verificationToken => {
    const body = { verificationToken, newPassword: 'a third battery staple' }
    return (await server.call('POST', '/api/v1/passwords/reset', { body })).status
  },
  deletion: async (verificationToken, { access }) =>
    (await server.call('DELETE', '/api/v1/me', { token: access, body: { verificationToken } })).status,
  csrf: async (token, { access }) => {
    const headers = { cookie: `accessToken=${access}; _csrf=${token}`, 'x-csrf-token': token }
    return (await server.call('PATCH', '/api/v1/me', { headers, body: { name: 'Ada' } })).status
  },
}

test('A04: tokens of links and sockets open their own door only, and so do those of a sign-in', async () => {
  const opened: Record<string, string[]> = {}
  const wrong: string[] = []
  for (const kind of kinds) {
    const own = await makeTokens()
    // Its own door last: some are good once.
    for (const door of [...kinds.filter(each => each !== kind), kind]) {
      const status = await doors[door](own[kind], own)
      if (status < 400) opened[kind] = [...(opened[kind] ?? []), door]
      else if (![400, 401, 403, 404].includes(status)) wrong.push(`${kind} at ${door}: ${status}`)
    }
  }
  expect(wrong).toEqual([])
  expect(opened).toEqual(Object.fromEntries(kinds.map(kind => [kind, [kind]])))
}, 60_000)
