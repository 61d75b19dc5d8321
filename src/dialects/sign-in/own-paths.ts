import { clientOf } from '../../features/accounts/index.ts'
import type { Server } from '../../transport/server.ts'
import { contentGenerator, secretEcho } from '../dialects.ts'
import type { DialectParts } from '../parts.ts'
import { speak } from '../speech.ts'
import { readUser, type UnionUser } from '../user.ts'
import { easyPasswords, entered, sessionWish, signUpAtOnce } from './entering.ts'
import { email, name, newPassword, password, sent } from './schema.ts'

const echo = speak(secretEcho)
const generator = speak(contentGenerator)

/** An answer of Secret Echo: all three keys, always. */
function enveloped<Data>(data: Data) {
  return { success: true, data, errors: [] }
}

function personOf({ user_pid, email: address, first_name, last_name }: UnionUser) {
  return { user_pid: `user_${user_pid}`, email: address, first_name, last_name }
}

const examplePerson = {
  user_pid: 'user_01936b2e-8f6a-7c3d-9f7e-2a4b6c8d0e1f',
  email: 'test@example.com',
  first_name: 'Test',
  last_name: 'User',
}

/** Signing up, in and out as Secret Echo has it, at /api/v1/auth. */
export function secretEchoSignIn(parts: DialectParts) {
  return async (server: Server) => {
    server.post('/api/v1/auth/signup', echoSignUp, async (request, reply) => {
      const { first_name: firstName, last_name: lastName, ...asked } = request.body
      const wish = {
        email: asked.email,
        password: asked.password,
        firstName,
        lastName,
        policy: easyPasswords(parts),
      }
      const { token, user } = await entered(parts, reply, await signUpAtOnce(parts, request, wish))
      return enveloped({ ...personOf(user), token })
    })
    server.post('/api/v1/auth/login', echoLogIn, async (request, reply) => {
      const wish = { email: request.body.email, password: request.body.password, session: sessionWish(parts) }
      const account = await parts.accounts.signIn(wish, clientOf(request))
      const { token, user } = await entered(parts, reply, account)
      return enveloped({ token, ...personOf(user) })
    })
    server.post('/api/v1/auth/logout', echoLogOut, async (request, reply) => {
      await parts.accounts.signOut(request.identity, clientOf(request))
      parts.web.clear(reply)
      return enveloped({ message: 'Logged out successfully' })
    })
    server.get('/api/v1/users/me', echoMe, async request => {
      const user = await readUser(parts, request.identity.accountId)
      return enveloped({ ...personOf(user), created_at: user.created_at, updated_at: user.updated_at })
    })
  }
}

const echoTexts = {
  'email is required': 'Email is required',
  'password is required': 'Password is required',
  'first_name is required': 'First name is required',
  'last_name is required': 'Last name is required',
  'password must be at least 6 characters long': 'Password must be at least 6 characters long',
}

const echoSignUp = echo({
  summary: 'Sign up',
  auth: 'none',
  asks: {
    body: sent(
      { email, password: newPassword, first_name: name, last_name: name },
      { email: 'test@example.com', password: 'password123', first_name: 'Test', last_name: 'User' },
    ),
  },
  answers: { 200: enveloped({ ...examplePerson, token: 'eyJhbGciOi…' }) },
  failures: [400, 403, 429],
  texts: echoTexts,
  codes: { EMAIL_TAKEN: { status: 400 } },
})

const echoLogIn = echo({
  summary: 'Sign in',
  auth: 'none',
  asks: { body: sent({ email, password }, { email: 'test@example.com', password: 'password123' }) },
  answers: { 200: enveloped({ token: 'eyJhbGciOi…', ...examplePerson }) },
  failures: [400, 401, 403, 429],
  texts: echoTexts,
})

const echoLogOut = echo({
  summary: 'Sign out',
  answers: { 200: enveloped({ message: 'Logged out successfully' }) },
  failures: [401, 403],
})

const echoMe = echo({
  summary: 'Who is signed in',
  answers: {
    200: enveloped({
      ...examplePerson,
      created_at: '2026-11-20T09:30:00.000Z',
      updated_at: '2026-11-20T09:30:00.000Z',
    }),
  },
  failures: [401],
})

/** The bare user of AI Content Generator; its front end keeps the whole document as its user. */
function documentOf(user: UnionUser) {
  return { ...user, success: true, user, __v: 0 }
}

/** Signing up and in as AI Content Generator has it, at /auth. */
export function contentGeneratorSignIn(parts: DialectParts) {
  return async (server: Server) => {
    server.post('/auth/register', documentSignUp, async (request, reply) => {
      const wish = { ...pick(request.body), policy: easyPasswords(parts) }
      const { user, token } = await entered(parts, reply, await signUpAtOnce(parts, request, wish))
      return reply.code(201).send({ ...documentOf(user), token, accessToken: token })
    })
    server.post('/auth/login', documentLogIn, async (request, reply) => {
      const wish = { email: request.body.email, password: request.body.password, session: sessionWish(parts) }
      const account = await parts.accounts.signIn(wish, clientOf(request))
      const { user, token } = await entered(parts, reply, account)
      return { ...documentOf(user), token, accessToken: token }
    })
    server.get('/auth/me', documentMe, async request =>
      documentOf(await readUser(parts, request.identity.accountId)),
    )
  }
}

function pick(body: { name: string; email: string; password: string }) {
  return { name: body.name, email: body.email, password: body.password }
}

const provideAll = 'Please provide all fields'
const documentTexts = {
  'name is required': provideAll,
  'email is required': provideAll,
  'password is required': provideAll,
}
const exampleDocument = {
  _id: '01936b2e-8f6a-7c3d-9f7e-2a4b6c8d0e1f',
  name: 'Test User',
  email: 'test@example.com',
}

const documentSignUp = generator({
  summary: 'Sign up',
  auth: 'none',
  asks: {
    body: sent(
      { name, email, password },
      { name: 'Test User', email: 'test@example.com', password: 'password123' },
    ),
  },
  answers: { 201: { ...exampleDocument, token: 'eyJhbGciOi…' } },
  failures: [400, 403, 429],
  texts: documentTexts,
  codes: { EMAIL_TAKEN: { message: 'User already exists', status: 400 } },
})

const documentLogIn = generator({
  summary: 'Sign in',
  auth: 'none',
  asks: { body: sent({ email, password }, { email: 'test@example.com', password: 'password123' }) },
  answers: { 200: { ...exampleDocument, token: 'eyJhbGciOi…' } },
  failures: [400, 401, 403, 429],
  texts: documentTexts,
  codes: { INVALID_CREDENTIALS: { message: 'Invalid credentials' } },
})

const documentMe = generator({
  summary: 'Who is signed in',
  answers: { 200: { ...exampleDocument, status: 'active', __v: 0 } },
  failures: [401],
})
