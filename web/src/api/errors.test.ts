import { expect, test } from 'vitest'
import { ApiError, errorFromResponse, explain, formatWait } from './errors.ts'

function answer(status: number, body: unknown, headers: Record<string, string> = {}): Response {
  return new Response(typeof body === 'string' ? body : JSON.stringify(body), { status, headers })
}

test('the problems of fields are told as sentences, each field once', async () => {
  const details = [
    { field: 'body.email', message: 'must be an e-mail address' },
    { field: 'email', message: 'second' },
    { field: 'name', message: 'Choose another.' },
  ]
  const error = await errorFromResponse(answer(400, { code: 'VALIDATION_ERROR', message: 'no', details }))
  expect(error.fields).toEqual({ email: 'This must be an e-mail address.', name: 'Choose another.' })
})

test('an answer that is not ours still gives a sentence for a person', async () => {
  const error = await errorFromResponse(answer(502, '<html>Bad gateway</html>'))
  expect(error.code).toBe('UNKNOWN')
  expect(error.message).toMatch(/cannot be reached/)
  expect(explain(error)).not.toMatch(/html|undefined/)
})

test('the wait comes from the body or the header, and is told in words', async () => {
  const byBody = await errorFromResponse(answer(429, { message: 'Too many messages.', retryAfter: 90 }))
  expect(explain(byBody)).toBe('Too many messages. Try again in 2 minutes.')
  const byHeader = await errorFromResponse(answer(429, {}, { 'retry-after': '5' }))
  expect(byHeader.retryAfterSeconds).toBe(5)
  expect([1, 59, 61, 7_000].map(formatWait)).toEqual(['1 second', '59 seconds', '2 minutes', '2 hours'])
})

test('a bug of this page is not told as a server error', () => {
  expect(explain(new TypeError('x is undefined'))).not.toMatch(/undefined/)
  expect(new ApiError(0, 'OFFLINE', 'x').isOffline).toBe(true)
})
