import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createConsoleSms } from './console.ts'
import type { ShortMessage, Sms } from './index.ts'
import { createWebhookSms } from './webhook.ts'

/** What every SMS adapter promises; few enough to be one test. */
async function deliversOnce(sms: Sms, arrived: readonly ShortMessage[]): Promise<void> {
  await sms.send({ to: '+14155550123', text: 'Atelier: 402817 is your code' })
  expect(arrived).toEqual([{ to: '+14155550123', text: 'Atelier: 402817 is your code' }])
  await sms.close()
}

describe('SMS by webhook', () => {
  const arrived: ShortMessage[] = []
  let gateway: Server
  let url: string
  let status = 200
  beforeAll(async () => {
    gateway = createServer((request, response) => {
      let body = ''
      request.on('data', chunk => {
        body += chunk
      })
      request.on('end', () => {
        if (status === 200) arrived.push(JSON.parse(body) as ShortMessage)
        response.writeHead(status, status === 302 ? { location: 'http://127.0.0.1:1/' } : {}).end('thanks')
      })
    }).listen(0, '127.0.0.1')
    await once(gateway, 'listening')
    const address = gateway.address()
    url = `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}/sms`
  })
  afterAll(() => {
    gateway.closeAllConnections()
    gateway.close()
  })

  test('hands each message over once, as JSON', () => deliversOnce(createWebhookSms({ url }), arrived))

  test.each([500, 404, 302])('fails when the gateway answers %i', async answer => {
    status = answer
    const failed = createWebhookSms({ url }).send({ to: '+14155550123', text: 'secret 123456' })
    await expect(failed).rejects.toMatchObject({ kind: 'unavailable', code: 'SMS_FAILED' })
    status = 200
  })

  test('fails when nobody is there', async () => {
    const nobody = createWebhookSms({ url: 'http://127.0.0.1:1/' })
    await expect(nobody.send({ to: '+14155550123', text: 'x' })).rejects.toMatchObject({ code: 'SMS_FAILED' })
  })
})

describe('SMS on the console', () => {
  test('shows each message once', async () => {
    const arrived: ShortMessage[] = []
    const sms = createConsoleSms(line => {
      const [, to = '', text = ''] = /^SMS to (\S+): (.*)$/s.exec(line) ?? []
      arrived.push({ to, text })
    })
    await deliversOnce(sms, arrived)
  })
})
