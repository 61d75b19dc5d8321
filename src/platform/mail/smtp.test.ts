import { once } from 'node:events'
import { createServer, type Server, type Socket } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { mailContract, type Sink } from './contract.ts'
import { createSmtpMail } from './smtp.ts'

/** As much of an SMTP server as a letter needs; an address that begins with `refused` is not taken. */
async function startSink(): Promise<Sink & { port: number; close(): Promise<void> }> {
  const letters: Sink['letters'] = []
  const sockets = new Set<Socket>()
  const server: Server = createServer(socket => {
    sockets.add(socket.on('error', () => {}))
    let recipients: string[] = []
    let data: string | null = null
    let rest = ''
    const say = (line: string) => socket.write(`${line}\r\n`)
    say('220 sink')
    socket.on('data', chunk => {
      const lines = (rest + chunk.toString('utf8')).split('\r\n')
      rest = lines.pop() ?? ''
      for (const line of lines) {
        if (data !== null) {
          if (line === '.') {
            letters.push({ to: recipients, raw: data })
            data = null
            recipients = []
            say('250 taken')
          } else data += `${line}\n`
        } else if (/^EHLO|^HELO/i.test(line)) say('250 sink')
        else if (/^RCPT TO:<refused/i.test(line)) say('550 no such person')
        else if (/^RCPT TO/i.test(line)) {
          recipients.push(/<(.*)>/.exec(line)?.[1] ?? '')
          say('250 ok')
        } else if (/^DATA/i.test(line)) {
          data = ''
          say('354 go on')
        } else if (/^QUIT/i.test(line)) socket.end('221 bye\r\n')
        else say('250 ok')
      }
    })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  return {
    letters,
    port: typeof address === 'object' && address ? address.port : 0,
    async close() {
      for (const socket of sockets) socket.destroy()
      server.close()
    },
  }
}

describe('mail by SMTP', () => {
  let sink: Awaited<ReturnType<typeof startSink>>
  beforeAll(async () => {
    sink = await startSink()
  })
  afterAll(() => sink.close())

  const open = () =>
    createSmtpMail({ host: '127.0.0.1', port: sink.port, from: 'Atelier <no-reply@atelier.example>' })

  mailContract(async () => ({ mail: open(), sink }))

  test('writes to the one address it was given, whatever characters it has', async () => {
    const mail = open()
    sink.letters.length = 0
    const odd = 'ada@example.com, eve@evil.example'
    await mail.send({ to: odd, subject: 'x', text: 'x' }).catch(() => {})
    expect(sink.letters.flatMap(letter => letter.to)).not.toContain('eve@evil.example')
    await mail.close()
  })

  test('fails with one code when the letter is refused or nobody is there', async () => {
    const mail = open()
    const refused = mail.send({ to: 'refused@example.com', subject: 'x', text: 'secret 123456' })
    await expect(refused).rejects.toMatchObject({ kind: 'unavailable', code: 'MAIL_FAILED' })
    await expect(refused).rejects.not.toMatchObject({ message: expect.stringContaining('123456') })
    await mail.close()
    const nobody = createSmtpMail({ host: '127.0.0.1', port: 1, from: 'a@example.com' })
    await expect(nobody.send({ to: 'b@example.com', subject: 'x', text: 'x' })).rejects.toMatchObject({
      code: 'MAIL_FAILED',
    })
    await nobody.close()
  })
})
