const key = 'atelier.signed-in'

/**
 * Whether somebody may be signed in in this browser. The refresh cookie itself is hidden from scripts; this mark beside
 * it, which is no secret, spares a visitor the question. Where nothing can be stored it has to be asked.
 */
export function mayBeSignedIn(): boolean {
  try {
    return localStorage.getItem(key) !== null
  } catch {
    return true
  }
}

/** Sets the mark: a session was opened or renewed. */
export function rememberSignIn(): void {
  try {
    localStorage.setItem(key, '1')
  } catch {
    // mayBeSignedIn says yes where nothing can be stored.
  }
}

/** Removes the mark: the session is over. */
export function forgetSignIn(): void {
  try {
    localStorage.removeItem(key)
  } catch {
    // Nothing was stored.
  }
}
