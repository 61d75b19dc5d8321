/** What an e-mail field says when its text cannot be an address; undefined when it can. */
export function emailProblem(email: string): string | undefined {
  if (!email.trim()) return 'Enter your e-mail address.'
  return /^\S+@\S+\.\S+$/.test(email.trim()) ? undefined : 'This does not look like an e-mail address.'
}

/** What a new password's field says when the server would refuse it. */
export function passwordProblem(password: string): string | undefined {
  if (!password) return 'Choose a password.'
  return [...password.normalize('NFC')].length < 8 ? 'Use at least 8 characters.' : undefined
}
