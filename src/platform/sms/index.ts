/** One short message to one number in E.164 form. */
export interface ShortMessage {
  to: string
  text: string
}

/** Sends short messages. Throws AppError unavailable SMS_FAILED when it was not taken; never tells its content. */
export interface Sms {
  /** Whether messages leave this machine; false when they are only shown to the operator. */
  readonly isDelivering: boolean
  send(message: ShortMessage): Promise<void>
  close(): Promise<void>
}
