import { Ajv, type ValidateFunction } from 'ajv'
import addFormats from 'ajv-formats'
import type { FastifySchemaValidationError } from 'fastify'
import type { Static, TObject } from 'typebox'
import { AppError, invalidField } from '../lib/errors.ts'
import { validationError } from './errors.ts'

/** What clients may send on a socket: by type, the fields beside `type`. */
export type FrameShapes = Readonly<Record<string, TObject>>

/** A frame that keeps the rules of its shape. */
export type Frame<Shapes extends FrameShapes> = {
  [Type in keyof Shapes & string]: { type: Type; fields: Static<Shapes[Type]> }
}[keyof Shapes & string]

const ajv = addFormats.default(
  new Ajv({ allErrors: true, coerceTypes: false, useDefaults: true, strict: false, strictNumbers: true }),
)

/** Reads frames of the given shapes; what breaks a rule is an AppError that names the field. */
export function createFrameReader<Shapes extends FrameShapes>(shapes: Shapes) {
  const validators = new Map<string, ValidateFunction>(
    Object.entries(shapes).map(([type, shape]) => [type, ajv.compile(shape)]),
  )
  const types = [...validators.keys()].join(', ')

  /** The fields of one frame, checked. */
  function check(type: string, fields: unknown): Frame<Shapes> {
    const validate = validators.get(type)
    if (!validate) throw invalidField('type', `must be one of ${types}`)
    if (!isObject(fields)) throw invalidField('frame', 'must be an object')
    if (!validate(fields)) {
      throw validationError((validate.errors ?? []) as FastifySchemaValidationError[], 'frame')
    }
    refuseNul(fields)
    return { type, fields } as Frame<Shapes>
  }

  return {
    check,
    /** A frame from JSON text with a `type`. */
    checkTyped(frame: Readonly<Record<string, unknown>>): Frame<Shapes> {
      const { type, ...fields } = frame
      if (typeof type !== 'string') throw invalidField('type', `must be one of ${types}`)
      return check(type, fields)
    },
  }
}

/** The JSON object in a text. Throws AppError invalid for anything else. */
export function parseFrame(text: string): Record<string, unknown> {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw new AppError('invalid', 'INVALID_JSON', 'The frame is not valid JSON')
  }
  if (!isObject(value)) throw invalidField('frame', 'must be an object')
  return value
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** No text of ours may hold NUL: the database cannot keep it, and no client means it. */
function refuseNul(fields: Readonly<Record<string, unknown>>): void {
  for (const [field, value] of Object.entries(fields)) {
    if (typeof value === 'string' && value.includes('\0'))
      throw invalidField(field, 'must not contain NUL characters')
  }
}
