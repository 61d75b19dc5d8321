import Type from 'typebox'
import { clientOf } from '../../features/accounts/index.ts'
import { invalidField } from '../../lib/errors.ts'
import type { Server } from '../../transport/server.ts'
import { geminiBackend, sharedSignIn } from '../dialects.ts'
import type { DialectParts } from '../parts.ts'
import { speak } from '../speech.ts'
import { exampleUser } from '../user.ts'
import { easyPasswords, echoed, entered, sessionWish, strongPasswords } from './entering.ts'
import {
  code,
  email,
  mobileNumber,
  newPassword,
  optional,
  password,
  proof,
  publishedNames,
  sent,
} from './schema.ts'

const endpoint = speak(sharedSignIn)
const gemini = speak(geminiBackend)

const purposeSchema = Type.Optional(
  Type.Enum(['verification', 'password-reset', 'account-verification', 'account-deletion']),
)
type PublishedPurpose = 'verification' | 'password-reset' | 'account-verification' | 'account-deletion'

const invalidOtp = { INVALID_CODE: { message: 'Invalid OTP' } }

/** For whom nobody has signed in yet a code to verify is one to sign up with. */
function purposeOf(published: PublishedPurpose, isSignedIn: boolean) {
  if (published === 'account-verification') return 'sign-up' as const
  return published === 'verification' && !isSignedIn ? ('sign-up' as const) : published
}

/** Whom a request names, in our words. */
function addressOf(body: { email?: string; mobile_number?: string }) {
  const { email: address, mobile_number: mobile } = body
  if (address === undefined && mobile === undefined)
    throw invalidField('email', 'or mobile_number is required')
  return address === undefined ? { mobile } : { email: address }
}

/** Codes by the shared paths: sent, and exchanged for a verification token. */
export function sharedCodes(parts: DialectParts) {
  const { accounts } = parts
  return async (server: Server) => {
    server.post('/api/auth/send-otp', sending, async request => {
      const { purpose: published = 'verification' } = request.body
      const address = addressOf(request.body)
      const purpose = purposeOf(published as PublishedPurpose, request.optionalIdentity !== null)
      if (published === 'account-verification') await accounts.refuseTaken(address)
      const sent = await accounts.requestCode({ ...address, purpose }, clientOf(request))
      const message = 'If this address can receive a code, it has been sent'
      const { expiresIn } = sent
      return { success: true, message, purpose: published, expiresIn, expires_in: expiresIn, ...echoed(sent) }
    })

    server.post('/api/auth/verify-otp', verifying, async (request, reply) => {
      const { purpose: published = 'verification', otp } = request.body
      const address = addressOf(request.body)
      const purpose = purposeOf(published as PublishedPurpose, request.optionalIdentity !== null)
      const told = {
        success: true,
        message: 'OTP verified successfully',
        verified: true,
        email: request.body.email ?? null,
        mobile_number: request.body.mobile_number ?? null,
        purpose: published,
      }
      const client = clientOf(request)
      const asked = { ...address, code: otp }
      const right =
        purpose === 'sign-up'
          ? await accounts.confirmSignUp({ ...asked, session: sessionWish(parts) }, client)
          : await accounts.verifyCode({ ...asked, purpose }, client)
      if ('verificationToken' in right) {
        const { verificationToken, expiresIn } = right
        return { ...told, verificationToken, token: verificationToken, expiresIn }
      }
      // A registration that waited for this code is finished, so there is nothing left to prove. `token` stays what it is
      // here: never a token to sign in with.
      const { token, ...rest } = await entered(parts, reply, right)
      return { ...told, ...rest, message: 'Account verified successfully' }
    })
  }
}

const sending = endpoint({
  summary: 'Send a one-time code',
  description: 'By mail or SMS; the answer is the same whether or not anything was sent.',
  auth: 'optional',
  asks: {
    body: sent(
      { email: optional(email), mobile_number: optional(mobileNumber), purpose: purposeSchema },
      { email: 'user@example.com', purpose: 'account-verification' },
    ),
  },
  answers: {
    200: {
      success: true,
      message: 'If this address can receive a code, it has been sent',
      purpose: 'account-verification',
      expiresIn: 600,
      expires_in: 600,
    },
  },
  failures: [400, 401, 403, 409, 429],
  names: publishedNames,
  codes: { EMAIL_TAKEN: { message: 'User already exists', code: 'USER_EXISTS' } },
})

const verifying = endpoint({
  summary: 'Check a one-time code',
  description:
    'A right code is used up. It gives a `verificationToken` (also as `token`) that is good for an hour; a registration that ' +
    'waited for it is finished instead, and signed in.',
  auth: 'optional',
  asks: {
    body: sent(
      { email: optional(email), mobile_number: optional(mobileNumber), otp: code, purpose: purposeSchema },
      { email: 'user@example.com', otp: '123456' },
    ),
  },
  answers: {
    200: {
      success: true,
      message: 'OTP verified successfully',
      verified: true,
      email: 'user@example.com',
      mobile_number: null,
      purpose: 'verification',
      verificationToken: 'atv_…',
      token: 'atv_…',
      expiresIn: 3600,
    },
  },
  failures: [400, 401, 403, 429],
  names: publishedNames,
  codes: invalidOtp,
})

/** Sign-up by mobile number, as Gemini Backend has it. */
export function mobileSignUp(parts: DialectParts) {
  const { accounts } = parts
  return async (server: Server) => {
    server.post('/api/auth/send-signup-otp', sendingSignUp, async request => {
      const mobile = request.body.mobile_number
      await accounts.refuseTaken({ mobile })
      const sent = await accounts.requestCode({ mobile, purpose: 'sign-up' }, clientOf(request))
      return { success: true, message: 'OTP sent successfully', expires_in: sent.expiresIn, ...echoed(sent) }
    })
    server.post('/api/auth/verify-signup-otp', verifyingSignUp, async (request, reply) => {
      const { mobile_number: mobile, otp, name: called, password: secret } = request.body
      const client = clientOf(request)
      const proven = await accounts.verifyCode({ mobile, purpose: 'sign-up', code: otp }, client)
      const { verificationToken } = proven
      const wish = { mobile, name: called, password: secret, verificationToken }
      const account = await accounts.signUp(
        { ...wish, policy: easyPasswords(parts), session: sessionWish(parts) },
        client,
      )
      if (!('tokens' in account)) throw invalidField('otp', 'does not prove this number')
      reply.code(201)
      return { message: 'User registered successfully', ...(await entered(parts, reply, account)) }
    })
  }
}

const numberTexts = {
  'mobile_number is required': '"mobile_number" is required',
  'otp is required': '"otp" is required',
}
const alreadyRegistered = { MOBILE_TAKEN: { message: 'Mobile number already registered', status: 400 } }

const sendingSignUp = gemini({
  summary: 'Send a code to sign up with',
  auth: 'none',
  asks: { body: sent({ mobile_number: mobileNumber }, { mobile_number: '+1234567890' }) },
  answers: { 200: { success: true, message: 'OTP sent successfully', expires_in: 300 } },
  failures: [400, 429],
  names: publishedNames,
  texts: numberTexts,
  codes: alreadyRegistered,
})

const verifyingSignUp = gemini({
  summary: 'Sign up with the code',
  auth: 'none',
  asks: {
    body: sent(
      {
        mobile_number: mobileNumber,
        otp: code,
        name: Type.String({ minLength: 2, maxLength: 100, pattern: '\\S' }),
        password: newPassword,
      },
      { mobile_number: '+1234567890', otp: '123456', name: 'John Doe', password: 'password123' },
    ),
  },
  answers: {
    201: { success: true, message: 'User registered successfully', token: 'eyJhbGciOi…', user: exampleUser },
  },
  failures: [400, 429],
  names: publishedNames,
  texts: numberTexts,
  codes: { ...invalidOtp, ...alreadyRegistered },
})

/** Passwords by the shared paths: forgotten, set anew, changed. */
export function sharedPasswords(parts: DialectParts) {
  const { accounts } = parts
  return async (server: Server) => {
    server.post('/api/auth/forgot-password', forgetting, async request => {
      const sent = await accounts.forgotPassword(addressOf(request.body), clientOf(request))
      const { expiresIn } = sent
      const message = 'If this address has an account, a code has been sent'
      return { success: true, message, expires_in: expiresIn, expiresIn, ...echoed(sent) }
    })
    server.post('/api/auth/reset-password', resetting, async request => {
      const { email: address, mobile_number: mobile, otp, verificationToken, token, ...words } = request.body
      const fresh = words.newPassword ?? words.new_password
      if (fresh === undefined) throw invalidField('newPassword', 'is required')
      const policy = mobile === undefined ? strongPasswords(parts) : easyPasswords(parts)
      const proven = verificationToken ?? token
      const proof =
        proven === undefined ? { email: address, mobile, code: otp } : { verificationToken: proven }
      await accounts.resetPassword({ newPassword: fresh, ...proof, policy }, clientOf(request))
      return { success: true, message: 'Password reset successfully' }
    })
    server.post('/api/auth/change-password', changing, async request => {
      const body = request.body
      const fresh = body.newPassword ?? body.new_password
      if (fresh === undefined) throw invalidField('newPassword', 'is required')
      const { identity } = request
      const account = await accounts.read(identity.accountId)
      await accounts.changePassword(
        {
          identity,
          newPassword: fresh,
          currentPassword: body.currentPassword ?? body.current_password,
          verificationToken: body.verificationToken,
          policy: body.new_password === undefined ? strongPasswords(parts) : easyPasswords(parts),
        },
        clientOf(request),
      )
      return { success: true, message: 'Password updated successfully', email: account.email }
    })
  }
}

const forgetting = endpoint({
  summary: 'Send a code to set a new password with',
  auth: 'none',
  asks: {
    body: sent(
      { email: optional(email), mobile_number: optional(mobileNumber) },
      { mobile_number: '+1234567890' },
    ),
  },
  answers: {
    200: {
      success: true,
      message: 'If this address has an account, a code has been sent',
      expires_in: 300,
      expiresIn: 300,
    },
  },
  failures: [400, 429],
  names: publishedNames,
})

const resetting = endpoint({
  summary: 'Set a new password by code',
  description: 'By `verificationToken`, or by address and `otp`. Every session of the account ends.',
  auth: 'none',
  asks: {
    body: sent(
      {
        email: optional(email),
        mobile_number: optional(mobileNumber),
        otp: optional(code),
        verificationToken: optional(proof),
        token: optional(proof),
        newPassword: optional(password),
        new_password: optional(newPassword),
      },
      { email: 'user@example.com', otp: '123456', newPassword: 'NewSecurePass123!' },
      { mobile_number: '+1234567890', otp: '123456', new_password: 'newpassword123' },
    ),
  },
  answers: { 200: { success: true, message: 'Password reset successfully' } },
  failures: [400, 404, 429],
  names: publishedNames,
  codes: invalidOtp,
})

const changing = endpoint({
  summary: 'Change my password',
  description:
    'By the current one (`current_password`, `currentPassword`), or by a `verificationToken`. Other sessions end.',
  asks: {
    body: sent(
      {
        current_password: optional(password),
        currentPassword: optional(password),
        new_password: optional(newPassword),
        newPassword: optional(password),
        verificationToken: optional(proof),
      },
      { current_password: 'password123', new_password: 'newpassword123' },
      { newPassword: 'NewSecurePass123!', verificationToken: 'atv_…' },
    ),
  },
  answers: {
    200: { success: true, message: 'Password updated successfully', email: 'user@example.com' },
  },
  failures: [400, 401, 403, 429],
})
