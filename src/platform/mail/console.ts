import type { Mail } from './index.ts'

/** Shows letters to the operator, for machines without a mail server. */
export function createConsoleMail(print: (text: string) => void): Mail {
  return {
    isDelivering: false,
    async send(letter) {
      const subject = letter.subject.replace(/\s+/g, ' ')
      print(`mail to ${letter.to}: ${subject}\n${letter.text}`)
    },
    async close() {},
  }
}
