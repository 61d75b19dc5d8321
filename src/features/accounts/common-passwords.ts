import { readFileSync } from 'node:fs'

/**
 * The 6,000 commonest passwords of eight characters or more, one a line, the commonest first; taken from the ranked list
 * of @zxcvbn-ts/language-common (MIT). Shorter ones are refused for their length.
 */
const list = new URL('./common-passwords.txt', import.meta.url)
const common: ReadonlySet<string> = new Set(readFileSync(list, 'utf8').trimEnd().split('\n'))

/** Whether the password is among the commonest known ones, whatever its letter case. */
export function isCommonPassword(password: string): boolean {
  return common.has(password.normalize('NFC').toLowerCase())
}
