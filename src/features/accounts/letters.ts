import type { Mail } from '../../platform/mail/index.ts'
import type { Sms } from '../../platform/sms/index.ts'
import type { Address } from './addresses.ts'
import type { Purpose } from './schema-codes.ts'

const deeds: Record<Purpose, string> = {
  'sign-up': 'finish your sign-up',
  'sign-in': 'sign in',
  verification: 'confirm it is you',
  'password-reset': 'set a new password',
  'account-deletion': 'delete your account',
  'address-change': 'confirm your new address',
}

/** What a person is told at an address. */
export type Notice =
  | { kind: 'code'; purpose: Purpose; code: string; minutes: number; link?: string | undefined }
  | { kind: 'already-registered'; link: string }
  | { kind: 'password-changed' }
  | { kind: 'address-changed' }

/** Sends the notice by mail or SMS, whichever the address is for. */
export async function deliver(post: { mail: Mail; sms: Sms }, to: Address, notice: Notice): Promise<void> {
  const { subject, text } = write(notice)
  if (to.channel === 'email') await post.mail.send({ to: to.value, subject, text: `${text}\n\nAtelier\n` })
  else await post.sms.send({ to: to.value, text: `Atelier: ${text.replaceAll('\n\n', ' ')}` })
}

function write(notice: Notice): { subject: string; text: string } {
  switch (notice.kind) {
    case 'code':
      return {
        subject: `${notice.code} is your Atelier code`,
        text: [
          `${notice.code} is your code to ${deeds[notice.purpose]}. It works once, for ${notice.minutes} minutes.`,
          ...(notice.link ? [`Or open this link: ${notice.link}`] : []),
          'If you did not ask for it, you need not do anything. Never tell it to anybody.',
        ].join('\n\n'),
      }
    case 'already-registered':
      return {
        subject: 'You already have an Atelier account',
        text: `Somebody, probably you, tried to sign up with this address, but it has an account. Sign in, or set a new password: ${notice.link}`,
      }
    case 'password-changed':
      return {
        subject: 'Your Atelier password was changed',
        text: 'The password of your account was changed, and all other devices were signed out. If that was not you, set a new password now.',
      }
    case 'address-changed':
      return {
        subject: 'Your Atelier address was changed',
        text: 'Your account now uses another address, and this one no longer signs in. If that was not you, write to whoever runs this service.',
      }
  }
}
