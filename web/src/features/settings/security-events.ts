interface Described {
  text: string
  /** Whether the owner should look twice. */
  isWarning: boolean
}

const good = (text: string): Described => ({ text, isWarning: false })
const bad = (text: string): Described => ({ text, isWarning: true })

const events: Readonly<Record<string, Described>> = {
  'account-created': good('Account created'),
  'account-verified': good('Address verified'),
  'account-banned': bad('Account banned'),
  'account-unbanned': good('Ban lifted'),
  'role-changed': bad('Role changed'),
  'signed-in': good('Signed in'),
  'sign-in-failed': bad('Failed sign-in'),
  'signed-out': good('Signed out'),
  'session-revoked': good('Device signed out'),
  'sessions-revoked': good('All other devices signed out'),
  'refresh-token-reused': bad('A session was used twice and has been ended'),
  'code-sent': good('Code sent'),
  'code-failed': bad('Wrong code entered'),
  'password-changed': good('Password changed'),
  'password-reset': good('Password reset'),
  'password-check-failed': bad('Wrong password entered'),
  'email-changed': good('E-mail address changed'),
  'mobile-changed': good('Mobile number changed'),
  'email-verified': good('E-mail address verified'),
  'mobile-verified': good('Mobile number verified'),
  'provider-key-added': good('Provider key added'),
  'provider-key-changed': good('Provider key changed'),
  'provider-key-removed': good('Provider key removed'),
}

/** An event's kind in words; kinds that this page does not know yet are shown as they are called. */
export function describeEvent(kind: string): Described {
  const words = kind.replaceAll('-', ' ')
  return events[kind] ?? good(words.charAt(0).toUpperCase() + words.slice(1))
}
