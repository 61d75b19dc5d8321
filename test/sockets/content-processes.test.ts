import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { testPassword } from '../support/app.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { makeTestFolder, removeTestFolder } from '../support/folder.ts'
import { findMachine } from '../support/machine.ts'
import { type ServerProcess, startProcess } from '../support/process.ts'
import { startRedis, type TestRedis } from '../support/redis.ts'
import { type Json, openIo } from '../support/sockets.ts'

describe.skipIf(findMachine().redis === null)('content jobs with two servers on one Redis', () => {
  let redis: TestRedis
  let database: TestDatabase
  const folders: string[] = []
  const servers: ServerProcess[] = []

  beforeAll(async () => {
    redis = await startRedis()
    database = await createTestDatabase()
    for (const name of ['one', 'two']) {
      const dataDir = await makeTestFolder(`content-${name}`)
      folders.push(dataDir)
      const env = {
        DATABASE_URL: database.url,
        REDIS_URL: redis.url,
        JWT_SECRET: 'the same secret for both of the servers',
        SANDBOX_DELAY_MS: '0',
      }
      servers.push(await startProcess({ dataDir, env }))
    }
  }, 120_000)
  afterAll(async () => {
    for (const server of servers) await server[Symbol.asyncDispose]()
    await database?.close()
    await redis?.close()
    for (const folder of folders) await removeTestFolder(folder)
  })

  test('whoever writes it, sockets on both servers are told', { timeout: 60_000 }, async () => {
    const [one, two] = servers.map(server => server.url)
    const post = async (path: string, body: object, token?: string) => {
      const response = await fetch(`${one}/api/v1${path}`, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          ...(token ? { authorization: `Bearer ${token}` } : {}),
        },
        body: JSON.stringify(body),
      })
      return ((await response.json()) as { data: Json }).data
    }
    const email = `processes-${Date.now()}@example.com`
    const { accessToken: token } = await post('/accounts', { email, password: testPassword })
    const tabs = await Promise.all([one, two].map(url => openIo(url ?? '', { auth: { token } })))
    for (const prompt of ['first', 'second']) {
      const { job } = await post('/content/jobs', { prompt, contentType: 'email' }, token)
      for (const tab of tabs) {
        const told = await tab.hear('job_completed', notice => notice.jobId === job.id)
        expect(told).toMatchObject({ jobId: job.id, status: 'completed' })
      }
    }
    for (const tab of tabs) {
      expect(tab.told.filter(each => each.event === 'job_completed')).toHaveLength(2)
      tab.close()
    }
  })
})
