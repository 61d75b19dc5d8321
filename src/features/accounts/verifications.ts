import { AppError } from '../../lib/errors.ts'
import { newId } from '../../lib/ids.ts'
import { hashToken, randomToken } from '../../lib/seal.ts'
import type { Database } from '../../platform/database/index.ts'
import { type Address, readEmail, readMobile } from './addresses.ts'
import type { Parts } from './parts.ts'
import type { Purpose } from './schema-codes.ts'
import { insertVerification, takeVerification, type Verification } from './store-codes.ts'

const verificationPrefix = 'atv_'

/** A new token that proves the address for this purpose, once. */
export async function issueVerification(
  parts: Parts,
  input: { to: Address; purpose: Purpose; accountId: string | null; lifetimeMs: number },
) {
  const verificationToken = randomToken(verificationPrefix)
  const now = parts.now()
  await insertVerification(parts.db, {
    id: newId(),
    hash: hashToken(verificationToken),
    purpose: input.purpose,
    channel: input.to.channel,
    address: input.to.exact,
    accountId: input.accountId,
    now: new Date(now),
    expiresAt: new Date(now + input.lifetimeMs),
  })
  return { verificationToken, expiresIn: input.lifetimeMs / 1000 }
}

/** Uses a verification token up inside the caller's transaction. Throws 400 when it does not prove one of the purposes. */
export async function spendVerification(
  parts: Parts,
  db: Database,
  input: { token: string; purposes: readonly Purpose[] },
): Promise<Verification & { proven: Address }> {
  const { token, purposes } = input
  const now = new Date(parts.now())
  const isToken = token.startsWith(verificationPrefix)
  const taken = isToken ? await takeVerification(db, { hash: hashToken(token), purposes, now }) : null
  if (!taken) throw invalidVerification()
  return {
    ...taken,
    proven: taken.channel === 'email' ? readEmail(taken.address) : readMobile(taken.address),
  }
}

/** The one answer to a verification token that does not fit, whatever the reason. */
export function invalidVerification(): AppError {
  return new AppError(
    'invalid',
    'INVALID_VERIFICATION_TOKEN',
    'The verification token is not valid (any more)',
    {
      details: [{ field: 'verificationToken', message: 'is not valid (any more)' }],
    },
  )
}
