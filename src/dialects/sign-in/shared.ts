import { clientOf } from '../../features/accounts/index.ts'
import { AppError, invalidField } from '../../lib/errors.ts'
import { readSessionCookies } from '../../transport/cookies.ts'
import type { Server } from '../../transport/server.ts'
import { sharedSignIn } from '../dialects.ts'
import type { DialectParts } from '../parts.ts'
import { speak } from '../speech.ts'
import { exampleUser, readUser } from '../user.ts'
import { easyPasswords, echoed, entered, sessionWish, signUpAtOnce, strongPasswords } from './entering.ts'
import {
  email,
  maybe,
  mobileNumber,
  name,
  optional,
  password,
  proof,
  publishedNames,
  sent,
} from './schema.ts'

const endpoint = speak(sharedSignIn)

const exampleEntry = {
  success: true,
  message: 'Login successful',
  token: 'eyJhbGciOiJIUzI1NiJ9.e30.…',
  accessToken: 'eyJhbGciOiJIUzI1NiJ9.e30.…',
  refreshToken: 'atr_…',
  expiresIn: 604_800,
  user: exampleUser,
}

const userExists = { message: 'User already exists', code: 'USER_EXISTS' }

/** Coming in by the paths that Gemini Backend, AI Coding Agent and Autoverse Hub share. */
export function sharedEntry(parts: DialectParts) {
  return async (server: Server) => {
    server.post('/api/auth/register', registering, async (request, reply) => {
      const { username, verificationToken, ...asked } = request.body
      if (username === undefined && asked.name === undefined)
        throw invalidField('username', 'or name is required')
      reply.code(201)
      if (username !== undefined) {
        const wish = { ...asked, username, policy: easyPasswords(parts) }
        const message = 'User registered successfully'
        return { message, ...(await entered(parts, reply, await signUpAtOnce(parts, request, wish))) }
      }
      const wish = { ...asked, verificationToken, policy: strongPasswords(parts) }
      return registerByCode(parts, { request, reply, wish })
    })

    server.post('/api/auth/login', loggingIn, async (request, reply) => {
      const { mobile_number: mobile, email: address, password: secret } = request.body
      if (mobile === undefined && address === undefined)
        throw invalidField('email', 'or mobile_number is required')
      const who = address === undefined ? { mobile } : { email: address }
      const wish = { ...who, password: secret, session: sessionWish(parts) }
      const account = await parts.accounts.signIn(wish, clientOf(request))
      return { message: 'Login successful', ...(await entered(parts, reply, account)) }
    })
  }
}

const registering = endpoint({
  summary: 'Sign up',
  description:
    'With `username` (AI Coding Agent): 201 and a token. With `name` and a `verificationToken` from verify-otp (Autoverse ' +
    'Hub): 201 and a token. With `name` alone: 201, a code is sent, and verify-otp finishes the sign-up.',
  auth: 'none',
  asks: {
    body: sent(
      {
        email,
        password,
        username: optional(name),
        name: optional(name),
        verificationToken: optional(proof),
      },
      { email: 'user@example.com', username: 'johndoe', password: 'password123' },
      { email: 'user@example.com', password: 'SecurePass123!', name: 'John Doe' },
    ),
  },
  answers: { 201: { ...exampleEntry, message: 'User registered successfully' } },
  failures: [400, 403, 409, 429],
  codes: {
    EMAIL_TAKEN: userExists,
    USERNAME_TAKEN: { message: 'Username already taken', code: 'USER_EXISTS' },
  },
})

const loggingIn = endpoint({
  summary: 'Sign in',
  description: 'By `email` or by `mobile_number`. A refused sign-in is 401, whatever was wrong.',
  auth: 'none',
  asks: {
    body: sent(
      { email: optional(email), mobile_number: optional(mobileNumber), password },
      { email: 'user@example.com', password: 'password123' },
      { mobile_number: '+1234567890', password: 'password123' },
    ),
  },
  answers: { 200: exampleEntry },
  failures: [400, 401, 403, 429],
  names: publishedNames,
})

/** A sign-up of Autoverse Hub: proven before, or waiting for its code. */
async function registerByCode(
  parts: DialectParts,
  {
    request,
    reply,
    wish,
  }: {
    request: Parameters<typeof clientOf>[0]
    reply: Parameters<typeof entered>[1]
    wish: Parameters<typeof signUpAtOnce>[2]
  },
) {
  const result = await parts.accounts.signUp(
    {
      ...wish,
      session: sessionWish(parts),
      verification: 'required',
      provenBy: ['sign-up', 'verification'],
    },
    clientOf(request),
  )
  if ('tokens' in result) {
    return { message: 'User registered successfully', ...(await entered(parts, reply, result)) }
  }
  const { id, email: address, status } = result.account
  return {
    success: true,
    message: 'Registration started. Please verify your email with the code that was sent to it.',
    requiresVerification: true,
    email: address,
    expiresIn: result.expiresIn,
    user: { id, email: address, name: wish.name, status, planType: 'basic', creditsRemaining: 0 },
    ...echoed(result),
  }
}

/** Staying signed in by the shared paths, and leaving. */
export function sharedStay(parts: DialectParts) {
  const { accounts, web } = parts
  return async (server: Server) => {
    const me = async (request: { identity: { accountId: string } }) => ({
      success: true,
      valid: true,
      user: await readUser(parts, request.identity.accountId),
    })
    server.get('/api/auth/me', knowing('Who is signed in'), me)
    server.get('/api/auth/verify-token', knowing('Is the token good?'), me)

    server.post('/api/auth/refresh', renewing, async (request, reply) => {
      const refreshToken = request.body?.refreshToken ?? readSessionCookies(request).refreshToken
      const message = 'Token refreshed successfully'
      if (refreshToken !== undefined) {
        const tokens = await accounts.refresh({ refreshToken, client: clientOf(request) })
        const account = await accounts.read(tokens.accountId)
        return { message, ...(await entered(parts, reply, { account, tokens })) }
      }
      // A client with one token renews it while it is still good; its session goes on, and ends as before.
      const token = /^Bearer\s+(\S+)$/i.exec(request.headers.authorization ?? '')?.[1]
      if (token === undefined)
        throw new AppError('unauthenticated', 'REFRESH_TOKEN_MISSING', 'No refresh token provided')
      const { accountId } = await accounts.authenticate(token)
      return { success: true, message, token, accessToken: token, user: await readUser(parts, accountId) }
    })

    server.post('/api/auth/logout', leaving, async (request, reply) => {
      if (request.optionalIdentity) await accounts.signOut(request.optionalIdentity, clientOf(request))
      web.clear(reply)
      return { success: true, message: 'Logged out successfully' }
    })

    for (const path of ['/api/csrf-token', '/api/auth/csrf-token']) {
      server.get(path, csrf, async (request, reply) => ({
        csrfToken: web.csrfToken(reply, request.optionalIdentity),
      }))
    }

    server.delete('/api/auth/delete-account', deleting, async (request, reply) => {
      const { password: secret, otp, verificationToken, token } = request.body ?? {}
      const { accountId } = request.identity
      const client = clientOf(request)
      const { email: address } = await accounts.read(accountId)
      const spoken =
        otp !== undefined && address !== null
          ? (await accounts.verifyCode({ email: address, purpose: 'account-deletion', code: otp }, client))
              .verificationToken
          : (verificationToken ?? token)
      await accounts.eraseOwn({
        ...{ accountId, password: secret, verificationToken: spoken, client },
        mayHaveVerified: true,
      })
      web.clear(reply)
      return { success: true, message: 'Account deleted successfully', deleted: true }
    })
  }
}

const knowing = (summary: string) =>
  endpoint({
    summary,
    answers: { 200: { success: true, valid: true, user: exampleUser } },
    failures: [401],
  })

const renewing = endpoint({
  summary: 'Renew the tokens',
  description:
    'By the refresh cookie, by `refreshToken` in the body, or (for clients with one token) by a Bearer token that is still good: ' +
    'that one goes on. An expired access token alone renews nothing.',
  auth: 'none',
  asks: { body: optionalBody() },
  answers: { 200: { ...exampleEntry, message: 'Token refreshed successfully' } },
  failures: [400, 401, 429],
})

function optionalBody() {
  return maybe(sent({ refreshToken: optional(proof) }, { refreshToken: 'atr_…' }))
}

const leaving = endpoint({
  summary: 'Sign out',
  auth: 'optional',
  answers: { 200: { success: true, message: 'Logged out successfully' } },
  failures: [401, 403],
})

const csrf = endpoint({
  summary: 'A token for the X-CSRF-Token header',
  description: 'Needed for changes that a cookie alone vouches for; its twin is set as the cookie `_csrf`.',
  auth: 'optional',
  answers: { 200: { csrfToken: '7Jmu…' } },
  failures: [401],
})

const deleting = endpoint({
  summary: 'Delete my account',
  description:
    'Confirmed by `password`, by `otp` or `verificationToken` of purpose account-deletion, or by having sent such a code to verify-otp within the hour.',
  asks: {
    body: maybe(
      sent(
        {
          password: optional(password),
          otp: optional(proof),
          verificationToken: optional(proof),
          token: optional(proof),
        },
        { password: 'SecurePass123!' },
      ),
    ),
  },
  answers: { 200: { success: true, message: 'Account deleted successfully', deleted: true } },
  failures: [400, 401, 403, 429],
})
