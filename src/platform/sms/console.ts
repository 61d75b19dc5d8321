import type { Sms } from './index.ts'

/** Shows messages to the operator, for machines without an SMS gateway. */
export function createConsoleSms(print: (text: string) => void): Sms {
  return {
    isDelivering: false,
    async send(message) {
      print(`SMS to ${message.to}: ${message.text}`)
    },
    async close() {},
  }
}
