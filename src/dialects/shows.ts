import Type, { type TSchema } from 'typebox'

/** A JSON answer as a published API shows it: documented by its example, sent as it is presented. */
export function shows(example: object, description = 'As published.'): TSchema {
  const shape = Array.isArray(example)
    ? { type: 'array', items: {} }
    : { type: 'object', additionalProperties: true }
  return Type.Unsafe({ ...shape, description, examples: [example] })
}

/** An answer that is no JSON document, under its media type. */
export function sends(mediaType: string, description: string): TSchema {
  return { description, content: { [mediaType]: { schema: Type.String() } } } as unknown as TSchema
}

/** Two media types for one status, as the request asks. */
export function showsOrSends(example: object, mediaType: string, description: string): TSchema {
  const content = {
    [mediaType]: { schema: Type.String() },
    'application/json': { schema: shows(example) },
  }
  return { description, content } as unknown as TSchema
}
