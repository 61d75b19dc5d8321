import { describe, expect, test } from 'vitest'
import type { Mail } from './index.ts'

/** Where letters arrive in a test: the envelope's recipients, and the letter as it was sent. */
export interface Sink {
  letters: { to: string[]; raw: string }[]
}

/** What every mail adapter promises. */
export function mailContract(open: () => Promise<{ mail: Mail; sink: Sink }>): void {
  describe('a letter', () => {
    test('arrives once, at its address, with subject and text', async () => {
      const { mail, sink } = await open()
      sink.letters.length = 0
      await mail.send({ to: 'ada@example.com', subject: '402817 is your code', text: 'Your code is 402817.' })
      expect(sink.letters).toHaveLength(1)
      expect(sink.letters[0]?.to).toEqual(['ada@example.com'])
      expect(sink.letters[0]?.raw).toContain('402817 is your code')
      expect(sink.letters[0]?.raw).toContain('Your code is 402817.')
      await mail.close()
    })

    test('cannot smuggle headers through its subject', async () => {
      const { mail, sink } = await open()
      sink.letters.length = 0
      await mail.send({ to: 'ada@example.com', subject: 'hello\r\nBcc: eve@evil.example', text: 'x' })
      expect(sink.letters.flatMap(letter => letter.to)).toEqual(['ada@example.com'])
      expect(sink.letters[0]?.raw).not.toMatch(/^Bcc:/im)
      await mail.close()
    })
  })
}
