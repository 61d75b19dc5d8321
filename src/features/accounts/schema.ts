import Type, { type Static } from 'typebox'

const accountExample = {
  id: '01936b2e-8f6a-7c3d-9f7e-2a4b6c8d0e1f',
  email: 'ada@example.com',
  mobile: null,
  username: 'ada',
  name: 'Ada Lovelace',
  firstName: 'Ada',
  lastName: 'Lovelace',
  role: 'user',
  plan: 'basic',
  status: 'active',
  isEmailVerified: true,
  isMobileVerified: false,
  hasPassword: true,
  createdAt: '2026-11-20T09:30:00.000Z',
  updatedAt: '2026-11-20T09:30:00.000Z',
}

const nullableText = Type.Union([Type.String(), Type.Null()])

/** An account as its owner and administrators see it. */
export const AccountView = Type.Object(
  {
    id: Type.String({ format: 'uuid' }),
    email: nullableText,
    mobile: nullableText,
    username: nullableText,
    name: nullableText,
    firstName: nullableText,
    lastName: nullableText,
    role: Type.Union([Type.Literal('user'), Type.Literal('admin')]),
    plan: Type.String({ description: 'The id of one of the plans.', examples: ['basic', 'pro'] }),
    status: Type.Union([Type.Literal('pending'), Type.Literal('active'), Type.Literal('banned')]),
    isEmailVerified: Type.Boolean(),
    isMobileVerified: Type.Boolean(),
    hasPassword: Type.Boolean({ description: 'False for accounts that sign in by code only.' }),
    createdAt: Type.String({ format: 'date-time' }),
    updatedAt: Type.String({ format: 'date-time' }),
  },
  { title: 'Account', examples: [accountExample] },
)
export type AccountView = Static<typeof AccountView>

const email = Type.String({
  minLength: 3,
  maxLength: 320,
  description: 'An e-mail address.',
  examples: ['ada@example.com'],
})
const mobile = Type.String({
  minLength: 5,
  maxLength: 40,
  description: 'A mobile number with its country code.',
  examples: ['+14155550123'],
})
const personName = Type.String({ minLength: 1, maxLength: 100 })

/** Fields that requests of this feature share. */
export const fields = {
  email,
  mobile,
  name: personName,
  username: Type.String({ minLength: 2, maxLength: 40, examples: ['ada'] }),
  /** Length is judged by the password rules, which count characters and not bytes; this only keeps floods out. */
  password: Type.String({ maxLength: 4000, description: 'Compared in Unicode NFC; nothing is trimmed.' }),
  newPassword: Type.String({
    maxLength: 4000,
    description: 'From 8 to 1,000 characters of any kind. In production the commonest passwords are refused.',
    examples: ['correct horse battery staple'],
  }),
  code: Type.String({
    pattern: '^[0-9]{6}$',
    description: 'The six digits that were sent.',
    examples: ['402817'],
  }),
  verificationToken: Type.String({
    minLength: 1,
    maxLength: 200,
    description:
      'What a right code was exchanged for; good for an hour, one purpose, one address and one use.',
  }),
  /** Where a person can be reached: exactly one of the two. */
  address: { email: Type.Optional(email), mobile: Type.Optional(mobile) },
}

const closed = { additionalProperties: false }

export const SignUpBody = Type.Object(
  {
    ...fields.address,
    password: Type.Optional(fields.newPassword),
    name: Type.Optional(fields.name),
    username: Type.Optional(fields.username),
    verificationToken: Type.Optional(fields.verificationToken),
  },
  {
    ...closed,
    examples: [{ email: 'ada@example.com', password: 'correct horse battery staple', name: 'Ada Lovelace' }],
  },
)

export const SignInBody = Type.Object(
  { ...fields.address, password: Type.Optional(fields.password), code: Type.Optional(fields.code) },
  {
    ...closed,
    examples: [
      { email: 'ada@example.com', password: 'correct horse battery staple' },
      { mobile: '+14155550123', code: '402817' },
    ],
  },
)

export const RefreshBody = Type.Union([
  Type.Object(
    {
      refreshToken: Type.Optional(
        Type.String({
          minLength: 1,
          maxLength: 200,
          description: 'Left out by browsers: the cookie is used then.',
        }),
      ),
    },
    { ...closed, examples: [{ refreshToken: 'atr_Oe512SCMwrBCWTRHjLOTbBDDDVA06O8wBmVhHRE1was' }] },
  ),
  Type.Null(),
])

/** What signing in gives: the account and its tokens. */
export const SignedIn = Type.Object(
  {
    account: AccountView,
    accessToken: Type.String({ description: 'For `Authorization: Bearer …`.' }),
    refreshToken: Type.String({ description: 'Exchanged at POST /sessions/refresh, once; keep the newest.' }),
    expiresIn: Type.Integer({ description: 'Seconds until the access token ends.', examples: [900] }),
  },
  { title: 'SignedIn' },
)

/** What a sign-up gives whose address must be proven first. It looks the same when the address has an account already. */
export const AwaitingCode = Type.Object(
  {
    account: Type.Object({
      id: Type.String({
        description: 'Stands for this registration; the account has its own id once it is verified.',
      }),
      email: nullableText,
      mobile: nullableText,
      status: Type.Literal('pending'),
    }),
    requiresVerification: Type.Literal(true),
    expiresIn: Type.Integer({ description: 'Seconds until the code ends.', examples: [600] }),
    otp: Type.Optional(
      Type.String({ description: 'The code itself; only with OTP_ECHO, never in production.' }),
    ),
  },
  { title: 'AwaitingCode' },
)

export const Nothing = Type.Object({}, { title: 'Nothing' })

/** One entry of the security log. */
export const SecurityEventView = Type.Object(
  {
    id: Type.String({ format: 'uuid' }),
    accountId: nullableText,
    kind: Type.String({
      description: 'What happened.',
      examples: ['signed-in', 'sign-in-failed', 'password-changed'],
    }),
    sessionId: nullableText,
    actorId: Type.Union([Type.String(), Type.Null()], { description: 'The administrator who did it.' }),
    ip: nullableText,
    userAgent: nullableText,
    detail: Type.Record(Type.String(), Type.Unknown()),
    createdAt: Type.String({ format: 'date-time' }),
  },
  { title: 'SecurityEvent' },
)
export type SecurityEventView = Static<typeof SecurityEventView>

const nullableName = Type.Union([fields.name, Type.Null()])

export const ProfileBody = Type.Object(
  {
    name: Type.Optional(nullableName),
    firstName: Type.Optional(nullableName),
    lastName: Type.Optional(nullableName),
    username: Type.Optional(Type.Union([fields.username, Type.Null()])),
  },
  {
    ...closed,
    description: 'Null removes; absent leaves.',
    examples: [{ name: 'Ada King', username: 'ada' }],
  },
)

const confirmation = { code: fields.code, currentPassword: Type.Optional(fields.password) }

export const EmailBody = Type.Object({ email: fields.email, ...confirmation }, closed)
export const MobileBody = Type.Object({ mobile: fields.mobile, ...confirmation }, closed)

export const DeletionBody = Type.Union([
  Type.Object(
    {
      password: Type.Optional(fields.password),
      verificationToken: Type.Optional(fields.verificationToken),
    },
    { ...closed, examples: [{ password: 'correct horse battery staple' }] },
  ),
  Type.Null(),
])
