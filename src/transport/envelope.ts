import Type, { type TObject, type TSchema } from 'typebox'

/** The success envelope of our own API as a schema: `{success: true, data}`. */
export function success<Data extends TSchema>(data: Data) {
  return Type.Object({ success: Type.Literal(true), data })
}

/** A success answer. */
export function ok<Data>(data: Data): { success: true; data: Data } {
  return { success: true, data }
}

/** The one error body, the same on every path. */
export const ErrorBody = Type.Object(
  {
    success: Type.Literal(false),
    data: Type.Null(),
    error: Type.String({ description: 'What went wrong, for a person.' }),
    message: Type.String({ description: 'The same as `error`.' }),
    code: Type.String({ description: 'A stable UPPER_SNAKE name for programs.' }),
    errors: Type.Array(Type.String()),
    details: Type.Array(Type.Object({ field: Type.String(), message: Type.String() })),
    retryAfter: Type.Optional(Type.Number({ description: 'Seconds to wait, on 429 and 503.' })),
    path: Type.Optional(Type.String()),
  },
  { $id: 'Error', title: 'Error', additionalProperties: true },
)

/** What an error status means, in one sentence. */
export const meanings: Record<number, string> = {
  400: 'The request breaks a rule; `details` names the field and the rule.',
  401: 'No sign-in, or one that no longer holds.',
  402: 'No credits left.',
  403: 'Signed in, but not allowed.',
  404: 'No such thing, or it belongs to another account.',
  409: 'The state of the thing does not allow it.',
  410: 'It is gone.',
  413: 'Too large.',
  415: 'The body is not JSON.',
  422: 'Understood, but cannot be done.',
  429: 'Too many requests; wait `retryAfter` seconds.',
  502: 'The model provider failed.',
  503: 'A part we need is not there; try again.',
  504: 'It took too long.',
}

/** Response schemas for the error statuses that a route can answer. */
export function failures(...statuses: readonly number[]): Record<number, TObject> {
  return Object.fromEntries(
    statuses.map(status => [
      status,
      { ...ErrorBody, $id: undefined, description: meanings[status] ?? 'Error' },
    ]),
  ) as unknown as Record<number, TObject>
}

/** An answer that is an event stream or a JSON document, as the request asks; `any` to the compiler, exact in OpenAPI. */
export function eventsOr(json: TSchema, description: string): TSchema {
  const events = Type.String({ description: '`id: <seq>` and `data: <event as JSON>` for each event.' })
  const content = { 'text/event-stream': { schema: events }, 'application/json': { schema: json } }
  return { description, content } as unknown as TSchema
}
