import Type, { type Static } from 'typebox'

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
