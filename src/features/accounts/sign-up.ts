import { invalidField } from '../../lib/errors.ts'
import { newId } from '../../lib/ids.ts'
import type { Database } from '../../platform/database/index.ts'
import { type Address, readAddress } from './addresses.ts'
import { arrive } from './arrival.ts'
import { insertOrTakeOver, prepare, type SignUp, withProof } from './candidate.ts'
import type { Parts } from './parts.ts'
import { checkNewPassword } from './passwords.ts'
import { type AwaitingCode, isSameAsPending, signUpPending } from './pending.ts'
import type { AccountView } from './schema.ts'
import type { Purpose } from './schema-codes.ts'
import type { Client } from './security-log.ts'
import { invalidVerification, spendVerification } from './verifications.ts'
import { type SignedInAccount, viewAccount } from './view.ts'

/**
 * Makes an account. With a verification token, or where verification is optional, it is active and signed in; a taken
 * address is 409 EMAIL_TAKEN or MOBILE_TAKEN then. Otherwise a code is sent, and the answer never tells whether the
 * address was taken. Throws 400 on rules, 409 USERNAME_TAKEN, 429.
 */
export async function signUp(
  parts: Parts,
  input: SignUp,
  client: Client,
): Promise<SignedInAccount | AwaitingCode> {
  const address = readAddress(input)
  const verification = input.verification ?? parts.settings.signupVerification
  checkPasswordOf(parts, input, verification)
  await parts.limits.signup(client)
  const candidate = await prepare(parts, address, input)
  if (input.verificationToken === undefined && verification === 'required') {
    return signUpPending(
      parts,
      { ...candidate, isSamePassword: await isSameAsPending(parts, address, input) },
      client,
    )
  }
  const now = new Date(parts.now())
  return parts.db.transaction().execute(async db => {
    const { verificationToken: token, provenBy = ['sign-up'] } = input
    const proven = await proof(parts, db, { token, address, purposes: provenBy })
    const verified = proven ? now : null
    const account = await insertOrTakeOver(
      db,
      withProof({ ...candidate, status: 'active', now, id: newId() }, address, verified),
    )
    return arrive(parts, db, { account, kind: 'account-created', client, session: input.session, now })
  })
}

/**
 * Makes an active account without limits, codes or a session, for the operator's own tools. Its addresses count as proven.
 * Throws 400 and 409.
 */
export async function addAccount(parts: Parts, input: SignUp): Promise<AccountView> {
  const address = readAddress(input)
  checkPasswordOf(parts, input, 'optional')
  const candidate = await prepare(parts, address, input)
  const now = new Date(parts.now())
  const account = withProof({ ...candidate, status: 'active', now, id: newId() }, address, now)
  return parts.db.transaction().execute(async db => {
    const added = await insertOrTakeOver(db, account)
    for (const begin of parts.beginnings) await begin(db, added.id)
    return viewAccount(added)
  })
}

function checkPasswordOf(parts: Parts, input: SignUp, verification: 'required' | 'optional'): void {
  const { password, verificationToken } = input
  if (password !== undefined) {
    checkNewPassword(
      password,
      input.policy ?? { minLength: 8, refuseCommon: parts.settings.refuseCommonPasswords },
    )
  } else if (verificationToken === undefined && verification === 'optional')
    throw invalidField('password', 'is required')
}

async function proof(
  parts: Parts,
  db: Database,
  input: { token: string | undefined; address: Address; purposes: readonly Purpose[] },
): Promise<boolean> {
  if (input.token === undefined) return false
  const used = await spendVerification(parts, db, { token: input.token, purposes: input.purposes })
  if (used.channel !== input.address.channel || used.address !== input.address.exact)
    throw invalidVerification()
  return true
}
