import { request } from '../../api/client.ts'
import { errorFromResponse } from '../../api/errors.ts'
import { fetchJson, readData } from '../../api/http.ts'
import { forget, signIn } from '../../api/session.ts'
import type { SignedIn } from '../../api/types.ts'
import type { Address } from './rules.ts'

/** A code is on its way. `otp` is the code itself, on servers that are set up for testing. */
export interface CodeSent {
  expiresIn: number
  otp?: string
}

export type CodePurpose =
  | 'sign-up'
  | 'sign-in'
  | 'verification'
  | 'password-reset'
  | 'account-deletion'
  | 'address-change'

type SignUpInput = Address & { password: string; name?: string }

/**
 * Makes an account. Signs this page in and gives null, or gives the code that must be sent back first. Throws ApiError
 * with the rule of each refused field.
 */
export async function signUp(input: SignUpInput): Promise<CodeSent | null> {
  const answer = await post<SignedIn | (CodeSent & { requiresVerification: true })>('/accounts', input)
  if ('requiresVerification' in answer) return answer
  signIn(answer)
  return null
}

/** Finishes a sign-up with its code, and signs this page in. Throws ApiError. */
export async function verifySignUp(address: Address, code: string): Promise<void> {
  signIn(await post<SignedIn>('/accounts/verify', { ...address, code }))
}

/** Opens a session by password or by a code. Throws ApiError. */
export async function logIn(input: Address & ({ password: string } | { code: string })): Promise<void> {
  signIn(await post<SignedIn>('/sessions', input))
}

/** Sends a code to somebody who is not signed in. The answer is the same for unknown addresses. */
export function sendCode(address: Address, purpose: CodePurpose): Promise<CodeSent> {
  return post<CodeSent>('/codes', { ...address, purpose })
}

/** Sends a code (and by mail a link) that sets a new password. The answer is the same for unknown addresses. */
export function forgotPassword(address: Address): Promise<CodeSent> {
  return post<CodeSent>('/passwords/forgot', address)
}

type Proof = { verificationToken: string } | (Address & { code: string })

/** Sets a new password by link or code. Every session ends, this page's too. Throws ApiError. */
export async function resetPassword(proof: Proof, newPassword: string): Promise<void> {
  await post('/passwords/reset', { ...proof, newPassword })
  forget()
}

/** Ends the session at the server and here; here also when the server cannot be reached. */
export async function logOut(): Promise<void> {
  try {
    await request('/sessions/current', { method: 'DELETE' })
  } catch {
    // An ended session or a lost network must not keep anybody signed in on this page.
  }
  forget()
}

async function post<Data>(path: string, body: unknown): Promise<Data> {
  const response = await fetchJson(path, { method: 'POST', body })
  if (!response.ok) throw await errorFromResponse(response)
  return readData<Data>(response)
}
