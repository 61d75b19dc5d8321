import { ApiError, offlineError } from './errors.ts'

export interface Call {
  method?: 'GET' | 'POST' | 'PATCH' | 'PUT' | 'DELETE'
  body?: unknown
  headers?: Record<string, string>
  signal?: AbortSignal
}

/** A call without an access token (sign-up, log-in, refresh). Throws ApiError when the network says no. */
export async function fetchJson(path: string, call: Call): Promise<Response> {
  const init: RequestInit = { method: call.method ?? 'GET', credentials: 'same-origin' }
  init.headers = { ...call.headers }
  if (call.body !== undefined) {
    init.headers = { ...init.headers, 'content-type': 'application/json' }
    init.body = JSON.stringify(call.body)
  }
  if (call.signal) init.signal = call.signal
  try {
    return await fetch(`/api/v1${path}`, init)
  } catch (thrown) {
    if (call.signal?.aborted) throw thrown
    throw offlineError()
  }
}

/** The `data` of a 2xx answer. */
export async function readData<Data>(response: Response): Promise<Data> {
  const body = (await response.json().catch(() => null)) as { data?: Data } | null
  if (!body || body.data === undefined) {
    throw new ApiError(response.status, 'BAD_ANSWER', 'The server sent an answer that this page cannot read.')
  }
  return body.data
}
