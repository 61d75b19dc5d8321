/** One letter to one address. `text` is always sent; `html` beside it when given. */
export interface Letter {
  to: string
  subject: string
  text: string
  html?: string
}

/** Sends mail. Throws AppError unavailable MAIL_FAILED when the letter was not taken; never tells its content. */
export interface Mail {
  /** Whether letters leave this machine; false when they are only shown to the operator. */
  readonly isDelivering: boolean
  send(letter: Letter): Promise<void>
  close(): Promise<void>
}
