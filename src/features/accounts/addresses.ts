import { domainToASCII } from 'node:url'
import { invalidField } from '../../lib/errors.ts'

/**
 * Where a person can be reached. `value` is where we send, `exact` is what a code proves (letter case apart), `key` is
 * equal for every spelling that could be the same mailbox.
 */
export interface Address {
  channel: 'email' | 'mobile'
  value: string
  exact: string
  key: string
}

const localPart = /^[^\s@"(),:;<>[\]\\\p{Cc}]{1,64}$/u
const domainLabel = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/

/**
 * Reads an e-mail address. Letter case, compatibility forms, a trailing dot of the domain and a `+tag` do not make
 * another address. Throws a 400 on the field for what cannot be one.
 */
export function readEmail(text: string, field = 'email'): Address {
  const written = text.trim().normalize('NFC')
  const at = written.lastIndexOf('@')
  const local = written.slice(0, at)
  const domain = domainToASCII(written.slice(at + 1).replace(/\.$/, '')).toLowerCase()
  const labels = domain.split('.')
  const isValid =
    at > 0 &&
    Buffer.byteLength(written) <= 254 &&
    localPart.test(local) &&
    !/^\.|\.\.|\.$/.test(local) &&
    labels.length >= 2 &&
    labels.every(label => domainLabel.test(label)) &&
    !/^\d+$/.test(labels.at(-1) ?? '')
  if (!isValid) throw invalidField(field, 'must be an e-mail address')
  const mailbox = local
    .normalize('NFKC')
    .toLowerCase()
    .replace(/(?<=.)\+.*$/, '')
  const value = `${local}@${domain}`
  return { channel: 'email', value, exact: value.toLowerCase(), key: `${mailbox}@${domain}` }
}

/** Reads a mobile number in international form, with spaces, dots, dashes or brackets between. Throws a 400 on the field. */
export function readMobile(text: string, field = 'mobile'): Address {
  const digits = text
    .normalize('NFKC')
    .replace(/[\s().-]/g, '')
    .replace(/^(\+|00)?/, '')
  if (!/^[1-9]\d{6,14}$/.test(digits)) {
    throw invalidField(field, 'must be a mobile number with its country code, such as +14155550123')
  }
  const value = `+${digits}`
  return { channel: 'mobile', value, exact: value, key: value }
}

/** Reads the one address of a request that names an e-mail address or a mobile number. Throws a 400 naming both. */
export function readAddress(input: { email?: string | undefined; mobile?: string | undefined }): Address {
  if (input.email !== undefined && input.mobile !== undefined)
    throw invalidField('mobile', 'must not be given beside email')
  if (input.email !== undefined) return readEmail(input.email)
  if (input.mobile !== undefined) return readMobile(input.mobile)
  throw invalidField('email', 'or mobile is required')
}

/** Reads a username: 2 to 40 letters, digits, `_`, `.` or `-`. `key` is equal for every letter case. */
export function readUsername(text: string): { value: string; key: string } {
  const value = text.trim().normalize('NFKC')
  if (!/^[\p{L}\p{N}_.-]{2,40}$/u.test(value)) {
    throw invalidField('username', 'must have 2 to 40 letters, digits, dots, dashes or underscores')
  }
  return { value, key: value.toLowerCase() }
}
