import type { FastifyReply, FastifyRequest } from 'fastify'
import {
  type AwaitingCode,
  clientOf,
  type PasswordPolicy,
  type SignedInAccount,
  type SignUp,
} from '../../features/accounts/index.ts'
import { AppError } from '../../lib/errors.ts'
import type { DialectParts } from '../parts.ts'
import { readUser } from '../user.ts'

/** What most published APIs ask of a password. */
export function easyPasswords({ settings }: Pick<DialectParts, 'settings'>): PasswordPolicy {
  return { minLength: 6, refuseCommon: settings.isProduction }
}

/** What Autoverse Hub asks of a password. */
export function strongPasswords({ settings }: Pick<DialectParts, 'settings'>): PasswordPolicy {
  return { minLength: 8, refuseCommon: settings.isProduction, needsEveryKind: true }
}

/** Clients of the published APIs hold one token and cannot renew it; it ends with its session all the same. */
export function sessionWish({ settings }: Pick<DialectParts, 'settings'>) {
  return { accessLifetimeSeconds: settings.singleTokenLifetimeSeconds }
}

/** The union answer to whoever has just come in, and the cookies for browsers. */
export async function entered(
  parts: DialectParts,
  reply: FastifyReply,
  { account, tokens }: SignedInAccount,
) {
  parts.web.set(reply, tokens)
  const { accessToken, refreshToken, expiresIn } = tokens
  return {
    success: true,
    token: accessToken,
    accessToken,
    refreshToken,
    expiresIn,
    user: await readUser(parts, account),
  }
}

/** Signs up for a client that expects its token at once; where an address must be proven first, it is told so. */
export async function signUpAtOnce(
  parts: DialectParts,
  request: FastifyRequest,
  wish: SignUp,
): Promise<SignedInAccount> {
  const result = await parts.accounts.signUp({ session: sessionWish(parts), ...wish }, clientOf(request))
  if ('tokens' in result) return result
  throw new AppError(
    'forbidden',
    'EMAIL_NOT_VERIFIED',
    'Please finish your sign-up with the code that was sent to you, then sign in',
    { facts: { requiresVerification: true, expiresIn: result.expiresIn, ...echoed(result) } },
  )
}

/** The code itself, where the operator echoes codes. */
export function echoed(sent: Pick<AwaitingCode, 'code'>): { otp?: string } {
  return sent.code === undefined ? {} : { otp: sent.code }
}
