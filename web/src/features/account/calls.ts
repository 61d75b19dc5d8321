import { request } from '../../api/client.ts'
import { errorFromResponse } from '../../api/errors.ts'
import { fetchJson, readData } from '../../api/http.ts'
import { forget, signIn } from '../../api/session.ts'
import type { SignedIn } from '../../api/types.ts'

/** Makes an account and signs this page in. Throws ApiError with the rule of each refused field. */
export async function signUp(input: { email: string; password: string; name?: string }): Promise<void> {
  signIn(await post<SignedIn>('/accounts', input))
}

/** Opens a session by e-mail and password. Throws ApiError. */
export async function logIn(input: { email: string; password: string }): Promise<void> {
  signIn(await post<SignedIn>('/sessions', input))
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
