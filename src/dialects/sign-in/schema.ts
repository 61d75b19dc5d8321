import Type, { type TProperties, type TSchema } from 'typebox'

/** Fields of sign-in under their published names. */
export const email = Type.String({ minLength: 1, maxLength: 320 })
export const mobileNumber = Type.String({ minLength: 1, maxLength: 40 })
export const password = Type.String({ minLength: 1, maxLength: 1000 })
export const newPassword = Type.String({ minLength: 6, maxLength: 1000 })
export const name = Type.String({ minLength: 1, maxLength: 100, pattern: '\\S' })
export const code = Type.String({ pattern: '^[0-9]{6}$' })
export const proof = Type.String({ minLength: 1, maxLength: 200 })
export const optional = Type.Optional

/** A body of a published API: what its clients send beside the known fields is ignored. */
export function sent<Properties extends TProperties>(properties: Properties, ...examples: unknown[]) {
  return Type.Object(properties, { examples })
}

/** A body that may be left out. */
export function maybe<Body extends TSchema>(body: Body) {
  return Type.Union([body, Type.Null()])
}

/** The published names of our fields. */
export const publishedNames = {
  mobile: 'mobile_number',
  code: 'otp',
}
