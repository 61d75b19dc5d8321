import { errorFromResponse } from './errors.ts'
import { type Call, fetchJson, readData } from './http.ts'
import { currentToken, renew } from './session.ts'

/**
 * Sends one authenticated call to /api/v1 and gives the raw answer. A 401 renews the session once and sends the call
 * again. Throws ApiError for everything that is not 2xx; an abort passes through as it is.
 */
export async function send(path: string, call: Call = {}): Promise<Response> {
  const token = currentToken() ?? (await renew())
  let response = await attempt(path, call, token)
  if (response.status === 401) response = await attempt(path, call, await renew(token))
  if (!response.ok) throw await errorFromResponse(response)
  return response
}

/** Sends one call and gives the `data` of its answer. */
export async function request<Data>(path: string, call: Call = {}): Promise<Data> {
  const response = await send(path, call)
  return readData<Data>(response)
}

async function attempt(path: string, call: Call, token: string): Promise<Response> {
  const headers: Record<string, string> = { accept: 'application/json', ...call.headers }
  headers.authorization = `Bearer ${token}`
  return fetchJson(path, { ...call, headers })
}
