/** Where a person can be reached, as the API takes it. */
export type Address = { email: string } | { mobile: string }

/** Reads what was typed into a field for either kind of address. */
export function readAddress(text: string): Address {
  const trimmed = text.trim()
  return trimmed.includes('@') ? { email: trimmed } : { mobile: trimmed }
}

/** What a field for either kind of address says when its text can be neither; undefined when it can. */
export function addressProblem(text: string): string | undefined {
  const trimmed = text.trim()
  if (!trimmed) return 'Enter your e-mail address or mobile number.'
  if (trimmed.includes('@')) return emailProblem(trimmed)
  if (/^[+\d][\d\s().-]{4,}$/.test(trimmed)) return mobileProblem(trimmed)
  return 'This is neither an e-mail address nor a mobile number.'
}

/** What an e-mail field says when its text cannot be an address; undefined when it can. */
export function emailProblem(email: string): string | undefined {
  if (!email.trim()) return 'Enter an e-mail address.'
  return /^\S+@\S+\.\S+$/.test(email.trim()) ? undefined : 'This does not look like an e-mail address.'
}

/** What a mobile field says when its text cannot be an international number; undefined when it can. */
export function mobileProblem(mobile: string): string | undefined {
  const digits = mobile.replace(/[\s().-]/g, '')
  if (!digits) return 'Enter a mobile number.'
  return /^(\+|00)\d{6,15}$/.test(digits)
    ? undefined
    : 'Begin with the country code, for example +14155550123.'
}

/** What a new password's field says when the server would refuse it. */
export function passwordProblem(password: string): string | undefined {
  if (!password) return 'Choose a password.'
  return [...password.normalize('NFC')].length < 8 ? 'Use at least 8 characters.' : undefined
}

/** What a code's field says when it is not six digits. */
export function codeProblem(code: string): string | undefined {
  return /^\d{6}$/.test(code.trim()) ? undefined : 'The code has six digits.'
}
