import { isUtf8 } from 'node:buffer'
import { AppError, invalidField } from '../lib/errors.ts'
import { sendError } from './errors.ts'
import type { Server } from './http.ts'

/**
 * JSON in UTF-8, not packed, is the only body; an empty one counts as none, so that DELETE with a JSON header works. What no text of
 * ours may hold is refused here for every route: NUL, which the database cannot keep, and halves of characters.
 */
export function acceptJsonOnly(server: Server): void {
  const parse = server.getDefaultJsonParser('error', 'error')
  server.removeAllContentTypeParsers()
  server.addContentTypeParser('application/json', { parseAs: 'buffer' }, (request, body, done) => {
    const bytes = body as Buffer
    const encoding = request.headers['content-encoding'] ?? 'identity'
    if (encoding !== 'identity') return done(packed(), undefined)
    if (bytes.length === 0) return done(null, undefined)
    if (!isUtf8(bytes)) return done(refused('must be UTF-8'), undefined)
    const json = bytes.toString('utf8')
    const problem = textProblem(json)
    if (problem) done(refused(problem), undefined)
    else parse(request, json, done)
  })
}

/** What is wrong with the texts of a JSON document that will not be kept as they are; null when nothing is. */
export function textProblem(json: string): string | null {
  if (!json.includes('\\u')) return null
  if (/(^|[^\\])(\\\\)*\\u0000/.test(json)) return 'must not contain NUL characters'
  return hasHalfCharacter(json) ? 'must not contain halves of characters (lone surrogates)' : null
}

/** Whether an escape stands for a surrogate without its other half. */
function hasHalfCharacter(json: string): boolean {
  if (!/\\u[dD][89a-fA-F]/.test(json)) return false
  try {
    return !isWellFormed(JSON.parse(json))
  } catch {
    // What is no JSON is refused by the parser, with its own words.
    return false
  }
}

function isWellFormed(value: unknown): boolean {
  if (typeof value === 'string') return value.isWellFormed()
  if (typeof value !== 'object' || value === null) return true
  return Object.entries(value).every(([name, inner]) => name.isWellFormed() && isWellFormed(inner))
}

/** A packed body says nothing about how large it is. */
function packed(): AppError {
  return new AppError('unsupported', 'UNSUPPORTED_ENCODING', 'The body must be sent without Content-Encoding')
}

function refused(rule: string): AppError {
  return invalidField('body', rule)
}

/**
 * Bodies of these routes stay the very bytes that came, whatever their type: a signature is over them. One that is too large is
 * refused like every other that is not signed: with 400.
 */
export function acceptRawBytes(server: Server): void {
  server.setErrorHandler((error, request, reply) => {
    const isTooLarge = (error as { code?: string }).code === 'FST_ERR_CTP_BODY_TOO_LARGE'
    const refusal = new AppError('invalid', 'BODY_TOO_LARGE', 'The request body is too large')
    return sendError(isTooLarge ? refusal : error, request, reply)
  })
  server.removeAllContentTypeParsers()
  server.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body))
}
