import type { ErrorAnswer } from '../transport/errors.ts'
import type { Dialect } from './speech.ts'

/** Why Secret Echo lets nobody in, by our codes; anything else is an invalid token. */
export const secretEchoReasons: Readonly<Record<string, string>> = {
  AUTH_REQUIRED: 'No token provided',
  TOKEN_EXPIRED: 'Session expired',
  SESSION_ENDED: 'Session expired',
}

/** Our codes for a token that does not hold. */
const tokenCodes = new Set(['INVALID_TOKEN', 'TOKEN_EXPIRED', 'SESSION_ENDED'])

const compatibility = (name: string) =>
  `For clients of ${name}, at its published paths and in its published shapes. New clients use /api/v1.`

/** The paths that several of the published APIs share; request fields tell them apart, answers are their union. */
export const sharedSignIn: Dialect = {
  tag: 'Compatibility: Sign-in',
  description: compatibility('Gemini Backend, AI Coding Agent and Autoverse Hub'),
}

export const secretEcho: Dialect = {
  tag: 'Compatibility: Secret Echo',
  description: compatibility('Secret Echo'),
  shape: unauthorized(code => `Unauthorized: ${secretEchoReasons[code] ?? 'Invalid token'}`),
}

export const geminiBackend: Dialect = {
  tag: 'Compatibility: Gemini Backend',
  description: compatibility('the Gemini Backend API'),
  shape: labelled('message', 'Validation error'),
}

export const codingAgent: Dialect = {
  tag: 'Compatibility: AI Coding Agent',
  description: compatibility('AI Coding Agent'),
  shape: body => {
    const { code } = body
    if (code === 'AUTH_REQUIRED')
      return { ...told(body, 'No token provided'), error: 'Authentication required' }
    if (tokenCodes.has(code)) return { ...told(body, 'Invalid token'), error: 'Authentication failed' }
    return labelled('error', 'Validation error')(body)
  },
}

export const contentGenerator: Dialect = {
  tag: 'Compatibility: AI Content Generator',
  description: compatibility('AI Content Generator'),
  shape: unauthorized(code => (code === 'AUTH_REQUIRED' ? 'Not authorized, no token' : 'Not authorized')),
}

export const autoverseHub: Dialect = {
  tag: 'Compatibility: Autoverse Hub',
  description: compatibility('Autoverse Hub'),
}

/** Every section of the API description that is for compatibility. */
export const dialectTags = [
  sharedSignIn,
  secretEcho,
  geminiBackend,
  codingAgent,
  contentGenerator,
  autoverseHub,
].map(({ tag, description }) => ({ name: tag, description }))

/** Puts a label where a published API has one for broken rules; the first rule stays in `errors`. */
function labelled(field: 'error' | 'message', label: string) {
  return (body: ErrorAnswer): ErrorAnswer =>
    body.code === 'VALIDATION_ERROR' ? { ...body, [field]: label, errors: body.errors.slice(0, 1) } : body
}

/** The same error in one published sentence. */
function told(body: ErrorAnswer, sentence: string): ErrorAnswer {
  return { ...body, error: sentence, message: sentence, errors: [sentence] }
}

/** Says in a published sentence that nobody, or nobody any more, is signed in; every other error stays. */
function unauthorized(sentence: (code: string) => string) {
  return (body: ErrorAnswer): ErrorAnswer =>
    body.code === 'AUTH_REQUIRED' || tokenCodes.has(body.code) ? told(body, sentence(body.code)) : body
}
