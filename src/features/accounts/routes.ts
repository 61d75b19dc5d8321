import type { FastifyReply } from 'fastify'
import { AppError, invalidField } from '../../lib/errors.ts'
import { readSessionCookies } from '../../transport/cookies.ts'
import { failures, ok, success } from '../../transport/envelope.ts'
import type { Server } from '../../transport/server.ts'
import type { Accounts, SignedInAccount } from './index.ts'
import { adminRoutes } from './routes-admin.ts'
import { codeRoutes } from './routes-codes.ts'
import { profileRoutes } from './routes-profile.ts'
import { sessionRoutes } from './routes-sessions.ts'
import { AwaitingCode, Nothing, RefreshBody, SignedIn, SignInBody, SignUpBody } from './schema.ts'
import { VerifySignUpBody } from './schema-codes.ts'
import { clientOf, type WebSessions } from './web-sessions.ts'

/** Everything about accounts under our own API: signing up, in and out here, the rest in the files beside. */
export function accountRoutes(accounts: Accounts, web: WebSessions) {
  return async (server: Server) => {
    signUpRoutes(server, { accounts, web })
    signInRoutes(server, { accounts, web })
    stayRoutes(server, { accounts, web })
    codeRoutes(server, { accounts, web })
    sessionRoutes(server, { accounts })
    profileRoutes(server, { accounts, web })
    adminRoutes(server, { accounts })
  }
}

interface Reach {
  accounts: Accounts
  web: WebSessions
}

/** The answer to whoever has just come in: tokens in the body, and as cookies for browsers. */
function signedIn(web: WebSessions, reply: FastifyReply, entered: SignedInAccount) {
  const { accessToken, refreshToken, expiresIn } = entered.tokens
  web.set(reply, entered.tokens)
  return ok({ account: entered.account, accessToken, refreshToken, expiresIn })
}

function signUpRoutes(server: Server, { accounts, web }: Reach): void {
  server.post(
    '/accounts',
    {
      config: { auth: 'none' },
      schema: {
        tags: ['Accounts'],
        summary: 'Sign up',
        description:
          'Makes an account by e-mail or mobile number. With a `verificationToken` (from POST /codes/verify, purpose ' +
          '`sign-up`), or where the operator does not require verification, it is active and signed in: 201. Otherwise ' +
          'a code is sent and the answer is 202, the same whether or not the address has an account; go on at ' +
          'POST /accounts/verify. Codes: EMAIL_TAKEN, MOBILE_TAKEN (only where verification is optional or given), ' +
          'USERNAME_TAKEN (409), INVALID_VERIFICATION_TOKEN (400).',
        body: SignUpBody,
        response: { 201: success(SignedIn), 202: success(AwaitingCode), ...failures(400, 409, 429) },
      },
    },
    async (request, reply) => {
      const result = await accounts.signUp(request.body, clientOf(request))
      if ('tokens' in result) return reply.code(201).send(signedIn(web, reply, result))
      const { code, ...rest } = result
      return reply.code(202).send(ok({ ...rest, ...(code === undefined ? {} : { otp: code }) }))
    },
  )

  server.post(
    '/accounts/verify',
    {
      config: { auth: 'none' },
      schema: {
        tags: ['Accounts'],
        summary: 'Finish a sign-up with its code',
        description:
          'Makes a pending account active and signs it in. Ask for a new code with POST /codes, purpose `sign-up`. ' +
          'Code: INVALID_CODE (400) for a wrong, used, expired or five times mistaken code.',
        body: VerifySignUpBody,
        response: { 201: success(SignedIn), ...failures(400, 429) },
      },
    },
    async (request, reply) => {
      const entered = await accounts.verifySignUp(request.body, clientOf(request))
      return reply.code(201).send(signedIn(web, reply, entered))
    },
  )
}

function signInRoutes(server: Server, { accounts, web }: Reach): void {
  server.post(
    '/sessions',
    {
      config: { auth: 'none' },
      schema: {
        tags: ['Sessions'],
        summary: 'Sign in',
        description:
          'Starts a session by e-mail or mobile number, and a password or a code (POST /codes, purpose `sign-in`). Tokens ' +
          'come in the body and as httpOnly cookies. Codes: INVALID_CREDENTIALS (401, whatever was wrong), INVALID_CODE ' +
          '(400), EMAIL_NOT_VERIFIED, MOBILE_NOT_VERIFIED or ACCOUNT_BANNED (403, with the right password only), ' +
          'TOO_MANY_REQUESTS (429, after ten wrong passwords an hour).',
        body: SignInBody,
        response: { 201: success(SignedIn), ...failures(400, 401, 403, 429) },
      },
    },
    async (request, reply) => {
      const { email, mobile, password, code } = request.body
      const client = clientOf(request)
      if (password === undefined && code === undefined) throw invalidField('password', 'or code is required')
      const entered =
        password === undefined
          ? await accounts.signInByCode({ email, mobile, code: code ?? '' }, client)
          : await accounts.signIn({ email, mobile, password }, client)
      return reply.code(201).send(signedIn(web, reply, entered))
    },
  )
}

/** Staying signed in, and leaving. */
function stayRoutes(server: Server, { accounts, web }: Reach): void {
  server.post(
    '/sessions/refresh',
    {
      config: { auth: 'none' },
      schema: {
        tags: ['Sessions'],
        summary: 'Renew the tokens',
        description:
          'Exchanges the refresh token (from the body, or the cookie) for new tokens. Within ten seconds the same token ' +
          'gives the same new one, so that parallel calls and lost answers are harmless; any later second use ends the ' +
          'session. Codes: REFRESH_TOKEN_MISSING, INVALID_REFRESH_TOKEN (401).',
        body: RefreshBody,
        response: { 200: success(SignedIn), ...failures(400, 401, 429) },
      },
    },
    async (request, reply) => {
      const refreshToken = request.body?.refreshToken ?? readSessionCookies(request).refreshToken
      if (!refreshToken)
        throw new AppError('unauthenticated', 'REFRESH_TOKEN_MISSING', 'No refresh token provided')
      const tokens = await accounts.refresh({ refreshToken, client: clientOf(request) })
      return reply.send(signedIn(web, reply, { account: await accounts.read(tokens.accountId), tokens }))
    },
  )

  server.delete(
    '/sessions/current',
    {
      schema: {
        tags: ['Sessions'],
        summary: 'Sign out',
        description:
          'Ends this session on every wire, at once here and within five seconds everywhere, and clears the cookies.',
        response: { 200: success(Nothing), ...failures(401, 403) },
      },
    },
    async (request, reply) => {
      await accounts.signOut(request.identity, clientOf(request))
      web.clear(reply)
      return ok({})
    },
  )
}
