import { createTransport } from 'nodemailer'
import { AppError } from '../../lib/errors.ts'
import type { Mail } from './index.ts'

export interface SmtpOptions {
  host: string
  /** 465 is TLS from the first byte; other ports change to TLS when the server offers it. */
  port: number
  user?: string | undefined
  password?: string | undefined
  /** Who the letters are from, such as `Atelier <no-reply@example.com>`. */
  from: string
}

/** Sends letters through an SMTP server, over a few kept connections. */
export function createSmtpMail(options: SmtpOptions): Mail {
  const { host, port, user, password, from } = options
  const transport = createTransport({
    host,
    port,
    secure: port === 465,
    pool: true,
    maxConnections: 3,
    connectionTimeout: 10_000,
    greetingTimeout: 10_000,
    socketTimeout: 20_000,
    disableFileAccess: true,
    disableUrlAccess: true,
    ...(user ? { auth: { user, pass: password ?? '' } } : {}),
  })
  return {
    isDelivering: true,
    async send({ to, subject, text, html }) {
      try {
        // As an object, so that no character of the address can add a second recipient.
        await transport.sendMail({
          from,
          to: { name: '', address: to },
          subject,
          text,
          ...(html ? { html } : {}),
        })
      } catch (cause) {
        throw new AppError('unavailable', 'MAIL_FAILED', 'The mail could not be sent', { cause })
      }
    },
    async close() {
      transport.close()
    },
  }
}
