import { describe } from 'vitest'
import { createConsoleMail } from './console.ts'
import { mailContract, type Sink } from './contract.ts'

describe('mail on the console', () => {
  mailContract(async () => {
    const sink: Sink = { letters: [] }
    const mail = createConsoleMail(raw =>
      sink.letters.push({ to: [/^mail to (\S+):/.exec(raw)?.[1] ?? ''], raw }),
    )
    return { mail, sink }
  })
})
