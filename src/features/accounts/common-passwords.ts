/** Whether the password is among the commonest known ones, whatever its letter case. */
export function isCommonPassword(password: string): boolean {
  return common.has(password.normalize('NFC').toLowerCase())
}

const common: ReadonlySet<string> = new Set([
  'password',
  '12345678',
  '123456789',
  'password1',
  'qwertyuiop',
  'iloveyou',
])
