import type { Mail } from './index.ts'

/** Shows letters to the operator, for machines without a mail server. */
export function createConsoleMail(print: (text: string) => void): Mail {
  return {
    isDelivering: false,
    async send(letter) {
      print(`mail to ${letter.to}: ${letter.subject}\n${letter.text}`)
    },
    async close() {},
  }
}
