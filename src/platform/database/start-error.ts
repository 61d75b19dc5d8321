/**
 * Why the database cannot be used at start; the message is one line for the person who starts the server. It has no
 * stack, because what is wrong is outside of this code.
 */
export class DatabaseStartError extends Error {
  override readonly name = 'DatabaseStartError'

  constructor(message: string, options?: ErrorOptions) {
    super(message, options)
    this.stack = message
  }
}
