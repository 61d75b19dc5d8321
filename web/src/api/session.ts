import { ApiError, errorFromResponse } from './errors.ts'
import { fetchJson, readData } from './http.ts'
import { forgetSignIn, mayBeSignedIn, rememberSignIn } from './sign-in-mark.ts'
import type { Account, SignedIn } from './types.ts'

/** Why this page is signed out, where that is worth a word. */
export type SignedOutBecause = 'expired' | 'deleted'

/**
 * Who is signed in. The access token lives in this memory only; the refresh token only in an httpOnly cookie that no
 * script can read. A new page asks the cookie for a token; other tabs hear of a log-out through a channel.
 */
export type SessionState =
  | { status: 'checking' }
  | { status: 'signed-out'; because?: SignedOutBecause }
  | { status: 'unreachable' }
  | { status: 'signed-in'; account: Account }

let state: SessionState = { status: 'checking' }
let token: string | null = null
let renewing: Promise<string> | null = null
const listeners = new Set<() => void>()
const channel = new BroadcastChannel('atelier.session')

channel.onmessage = event => {
  if (event.data === 'signed-out' && state.status === 'signed-in') become({ status: 'signed-out' })
  if (event.data === 'signed-in' && state.status === 'signed-out') follow()
}

/** The store's face for useSyncExternalStore. */
export const session = {
  read: (): SessionState => state,
  subscribe(listener: () => void): () => void {
    listeners.add(listener)
    return () => listeners.delete(listener)
  },
}

function become(next: SessionState): void {
  if (next.status !== 'signed-in') token = null
  state = next
  for (const listener of listeners) listener()
}

/** The access token, if this page has one. */
export function currentToken(): string | null {
  return token
}

/** Asks the cookie who is signed in; the answer is the state. Asks nobody when no one signed in here. Never throws. */
export function restore(): void {
  if (mayBeSignedIn()) renew().catch(() => undefined)
  else become({ status: 'signed-out' })
}

/** Another tab has signed in; its mark may reach this one later than its word. */
function follow(): void {
  rememberSignIn()
  restore()
}

/**
 * A fresh access token from the refresh cookie; calls that come together share one request. `used` is the token that
 * was refused: if another call has replaced it meanwhile, that one is given at once. Throws ApiError, and signs this
 * page out when the server says that the session is over.
 */
export async function renew(used: string | null = null): Promise<string> {
  if (used !== null && token !== null && token !== used) return token
  renewing ??= refresh().finally(() => {
    renewing = null
  })
  return renewing
}

async function refresh(): Promise<string> {
  const wasSignedIn = state.status === 'signed-in'
  try {
    const response = await fetchJson('/sessions/refresh', { method: 'POST', body: {} })
    if (!response.ok) throw await errorFromResponse(response)
    return accept(await readData<SignedIn>(response))
  } catch (thrown) {
    const isOver = thrown instanceof ApiError && [400, 401, 403].includes(thrown.status)
    if (isOver) end(wasSignedIn)
    else if (state.status !== 'signed-in') become({ status: 'unreachable' })
    throw thrown
  }
}

function end(wasSignedIn: boolean): void {
  forgetSignIn()
  if (wasSignedIn) become({ status: 'signed-out', because: 'expired' })
  else if (state.status !== 'signed-out') become({ status: 'signed-out' })
}

function accept(signedIn: SignedIn): string {
  token = signedIn.accessToken
  rememberSignIn()
  become({ status: 'signed-in', account: signedIn.account })
  return signedIn.accessToken
}

/** Takes the answer of a sign-up, log-in or password change as this page's session. */
export function signIn(signedIn: SignedIn): void {
  accept(signedIn)
  channel.postMessage('signed-in')
}

/** Shows a changed profile everywhere. */
export function updateAccount(account: Account): void {
  if (state.status === 'signed-in') become({ status: 'signed-in', account })
}

/** Forgets the session here and in other tabs. The server is told by the caller. */
export function forget(because?: SignedOutBecause): void {
  forgetSignIn()
  become(because ? { status: 'signed-out', because } : { status: 'signed-out' })
  channel.postMessage('signed-out')
}
