import { setTimeout as sleep } from 'node:timers/promises'

/** An account that is signed in. */
export interface Person {
  token: string
  accountId: string
}

/** An answer that is no success. */
export class Refusal extends Error {
  readonly status: number
  readonly code: string

  constructor(status: number, text: string) {
    super(`${status} ${text.slice(0, 200)}`)
    this.status = status
    this.code = /"code":"(\w+)"/.exec(text)?.[1] ?? ''
  }
}

// biome-ignore lint/suspicious/noExplicitAny: answers have many shapes
export type Json = any

let people = 0

/** A new account. */
export async function signUp(url: string): Promise<Person> {
  const email = `faults-${Date.now()}-${++people}@example.com`
  const { accessToken, account } = await call(url, {
    path: '/accounts',
    body: { email, password: 'correct horse battery' },
  })
  return { token: accessToken, accountId: account.id }
}

export interface Call {
  path: string
  person?: Person
  body?: object
  headers?: Record<string, string>
  signal?: AbortSignal
}

/** Sends a request to our own API; throws Refusal when it is refused. */
export async function request(
  url: string,
  { path, person, body, headers = {}, signal }: Call,
): Promise<Response> {
  const response = await fetch(`${url}/api/v1${path}`, {
    method: body ? 'POST' : 'GET',
    headers: {
      ...(person ? { authorization: `Bearer ${person.token}` } : {}),
      ...(body ? { 'content-type': 'application/json' } : {}),
      ...headers,
    },
    ...(body ? { body: JSON.stringify(body) } : {}),
    ...(signal ? { signal } : {}),
  })
  if (!response.ok) throw new Refusal(response.status, await response.text())
  return response
}

/** The data of a JSON answer. */
export async function call(url: string, what: Call): Promise<Json> {
  const answer = (await (await request(url, what)).json()) as { data: Json }
  return answer.data
}

/** The events of a stream, as each network read brings them. */
export async function* eventsOf(response: Response): AsyncGenerator<Json[]> {
  if (!response.body) return
  let rest = ''
  for await (const chunk of response.body.pipeThrough(new TextDecoderStream())) {
    const frames = (rest + chunk).split('\n\n')
    rest = frames.pop() ?? ''
    const events = frames.flatMap(frame => {
      const data = frame.split('\n').find(line => line.startsWith('data: '))
      return data ? [JSON.parse(data.slice(6))] : []
    })
    if (events.length > 0) yield events
  }
}

/** Waits until something holds; throws when it does not within the time. */
export async function until(
  holds: () => boolean | Promise<boolean>,
  what: string,
  timeoutMs = 60_000,
): Promise<void> {
  const deadline = Date.now() + timeoutMs
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error(`${what} did not happen within ${timeoutMs} ms`)
    await sleep(25)
  }
}
