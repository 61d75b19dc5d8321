import Type, { type Static } from 'typebox'
import { fields } from './schema.ts'

/** What a code is for; it opens nothing else. */
export const Purpose = Type.Union(
  [
    Type.Literal('sign-up'),
    Type.Literal('sign-in'),
    Type.Literal('verification'),
    Type.Literal('password-reset'),
    Type.Literal('account-deletion'),
    Type.Literal('address-change'),
  ],
  { description: 'What the code is for; it opens nothing else.' },
)
export type Purpose = Static<typeof Purpose>

const closed = { additionalProperties: false }

export const CodeRequestBody = Type.Object(
  { ...fields.address, purpose: Purpose },
  { ...closed, examples: [{ email: 'ada@example.com', purpose: 'sign-up' }] },
)

/** What asking for a code gives, whether or not anything was sent. */
export const CodeSentView = Type.Object(
  {
    expiresIn: Type.Integer({
      description: 'Seconds until the code ends: 600 by mail, 300 by SMS.',
      examples: [600],
    }),
    otp: Type.Optional(
      Type.String({ description: 'The code itself; only with OTP_ECHO, never in production.' }),
    ),
  },
  { title: 'CodeSent' },
)

export const CodeCheckBody = Type.Object(
  { ...fields.address, purpose: Purpose, code: fields.code },
  { ...closed, examples: [{ email: 'ada@example.com', purpose: 'password-reset', code: '402817' }] },
)

export const VerificationView = Type.Object(
  {
    verificationToken: fields.verificationToken,
    expiresIn: Type.Integer({ examples: [3600] }),
  },
  { title: 'Verification' },
)

export const VerifySignUpBody = Type.Object(
  { ...fields.address, code: fields.code },
  { ...closed, examples: [{ email: 'ada@example.com', code: '402817' }] },
)

export const ForgotBody = Type.Object(fields.address, { ...closed, examples: [{ email: 'ada@example.com' }] })

export const ResetBody = Type.Object(
  {
    newPassword: fields.newPassword,
    verificationToken: Type.Optional(fields.verificationToken),
    ...fields.address,
    code: Type.Optional(fields.code),
  },
  {
    ...closed,
    examples: [
      { email: 'ada@example.com', code: '402817', newPassword: 'correct horse battery staple' },
      { verificationToken: 'atv_…', newPassword: 'correct horse battery staple' },
    ],
  },
)

export const ChangePasswordBody = Type.Object(
  {
    currentPassword: Type.Optional(fields.password),
    verificationToken: Type.Optional(fields.verificationToken),
    newPassword: fields.newPassword,
  },
  { ...closed, examples: [{ currentPassword: 'the old one', newPassword: 'correct horse battery staple' }] },
)
