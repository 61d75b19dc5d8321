import type { ErrorAnswer } from '../transport/errors.ts'
import type { Dialect } from './speech.ts'

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
}

export const geminiBackend: Dialect = {
  tag: 'Compatibility: Gemini Backend',
  description: compatibility('the Gemini Backend API'),
  shape: labelled('message', 'Validation error'),
}

export const codingAgent: Dialect = {
  tag: 'Compatibility: AI Coding Agent',
  description: compatibility('AI Coding Agent'),
  shape: labelled('error', 'Validation error'),
}

export const contentGenerator: Dialect = {
  tag: 'Compatibility: AI Content Generator',
  description: compatibility('AI Content Generator'),
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
