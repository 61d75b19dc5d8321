import { execFile } from 'node:child_process'
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { makeTestFolder, removeTestFolder } from './support/folder.ts'
import { freePort } from './support/ports.ts'
import { startProcess } from './support/process.ts'

const run = promisify(execFile)
const launcher = join(import.meta.dirname, '..', 'bin', 'atelier.mjs')
let folder: string

beforeAll(async () => {
  folder = await makeTestFolder('verbs')
})
afterAll(() => removeTestFolder(folder))

interface Ran {
  code: number
  out: string
  err: string
}

/** Runs a verb to its end on the test's data folder. */
async function verb(args: string[], env: Record<string, string> = {}): Promise<Ran> {
  const options = {
    cwd: folder,
    timeout: 60_000,
    env: { PATH: process.env.PATH ?? '', HOME: folder, DATA_DIR: folder, LOG_LEVEL: 'warn', ...env },
  }
  try {
    const { stdout, stderr } = await run(process.execPath, [launcher, ...args], options)
    return { code: 0, out: stdout, err: stderr }
  } catch (error) {
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string }
    return { code, out: stdout, err: stderr }
  }
}

/** Processes whose command line names the data folder: what a stopped server must not leave. */
async function leftOver(): Promise<string[]> {
  const pids = (await readdir('/proc')).filter(name => /^\d+$/.test(name) && Number(name) !== process.pid)
  const lines = await Promise.all(pids.map(pid => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')))
  return lines.filter(line => line.includes(folder))
}

const post = (url: string, body: object) =>
  fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) })

describe('serve', () => {
  test.each(['SIGTERM', 'SIGINT'] as const)(
    '%s ends it and all that it started, and the next start finds the data',
    async signal => {
      const email = `${signal.toLowerCase()}@example.com`
      const password = 'correct horse battery'
      const first = await startProcess({ dataDir: folder })
      expect((await post(`${first.url}/api/v1/accounts`, { email, password })).status).toBe(201)
      expect(await first.kill(signal)).toBe(0)
      await expect.poll(leftOver).toEqual([])
      await using second = await startProcess({ dataDir: folder })
      expect((await post(`${second.url}/api/v1/sessions`, { email, password })).status).toBe(201)
    },
  )

  test('a Ctrl-C that reaches it several times, as from a terminal through npm, is one', async () => {
    await using server = await startProcess({ dataDir: folder })
    const codes = await Promise.all([1, 2, 3].map(() => server.kill('SIGINT')))
    expect(codes).toEqual([0, 0, 0])
    await expect.poll(leftOver).toEqual([])
  })

  test('a port in use is told in one line, and nothing stays behind', async () => {
    await using first = await startProcess({ dataDir: folder })
    const port = new URL(first.url).port
    const second = await verb(['serve'], { PORT: port })
    expect(second.code).toBe(1)
    expect(second.err.trim()).toBe(
      `PORT ${port} is in use. Stop what uses it, or set PORT to another number.`,
    )
    expect((await fetch(`${first.url}/health/ready`)).status).toBe(200)
  })

  test('a wrong setting is told in one line', async () => {
    const refused = await verb(['serve'], { PORT: 'many' })
    expect(refused).toMatchObject({ code: 1, out: '' })
    expect(refused.err.trim()).toBe('PORT must be a whole number from 0 to 65535, not "many"')
  })

  test('a data folder that cannot be one, and an address of another machine, are told in one line', async () => {
    const file = join(folder, 'a-file')
    await writeFile(file, '')
    const noFolder = await verb(['serve'], { DATA_DIR: file })
    expect(noFolder.err.trim()).toMatch(/^DATA_DIR .* cannot be used/)
    expect(noFolder.err.trim().split('\n')).toHaveLength(1)
    const elsewhere = await verb(['serve'], { HOST: '203.0.113.7', PORT: '0' })
    expect(elsewhere.err.trim()).toMatch(/^HOST 203.0.113.7 is not an address of this machine/)
  })

  test('no server at DATABASE_URL is told in one line', async () => {
    const refused = await verb(['serve'], {
      DATABASE_URL: `postgres://nobody@127.0.0.1:${await freePort()}/none`,
    })
    expect(refused.code).toBe(1)
    expect(refused.err).not.toMatch(/\n\s+at /)
    expect(refused.err).toMatch(/database|ECONNREFUSED/i)
  })
})

describe('the other verbs', () => {
  test('an unknown one names those that are', async () => {
    const refused = await verb(['dance'])
    expect(refused.code).toBe(1)
    expect(refused.err).toMatch(
      /There is no verb "dance". There are: serve, worker, migrate, seed, doctor, admin, keys, build/,
    )
  })

  test('migrate brings the schema up to date, once', async () => {
    await verb(['migrate'])
    expect((await verb(['migrate'])).out.trim()).toBe('the schema is up to date')
  })

  test('doctor says what is there, what is missing, and what is in the way', async () => {
    const well = await verb(['doctor'])
    expect(well.code).toBe(0)
    expect(well.out).toMatch(/ok {2}Database {5}embedded Postgres 18/)
    expect(well.out).toMatch(/-- {2}Models .*only the sandbox model/)
    const ill = await verb(['doctor'], {
      DATABASE_URL: `postgres://nobody@127.0.0.1:${await freePort()}/none`,
    })
    expect(ill.code).toBe(1)
    expect(ill.out).toMatch(/!! {2}Database {5}DATABASE_URL/)
    const nobody = `127.0.0.1:${await freePort()}`
    const lonely = await verb(['doctor'], {
      REDIS_URL: `redis://${nobody}`,
      OPENAI_BASE_URL: `http://${nobody}/v1`,
      S3_BUCKET_NAME: 'none',
      S3_ENDPOINT: `http://${nobody}`,
      AWS_ACCESS_KEY_ID: 'x',
      AWS_SECRET_ACCESS_KEY: 'x',
      SMTP_HOST: '127.0.0.1',
      SMTP_PORT: nobody.split(':')[1] ?? '',
    })
    expect(lonely.code).toBe(1)
    for (const part of ['Redis', 'Files', 'Models', 'Mail'])
      expect(lonely.out).toMatch(new RegExp(`!! {2}${part} `))
    expect(ill.out + ill.err).not.toMatch(/\n\s+at /)
  })

  test('keys rotate wraps provider keys under a new master key while a server works', async () => {
    const [first, second] = ['first master key '.repeat(3), 'second master key '.repeat(3)].map(key =>
      key.trim(),
    )
    const before = { ENCRYPTION_KEY: first ?? '', ENCRYPTION_RETIRED_KEYS: second ?? '' }
    const after = { ENCRYPTION_KEY: second ?? '', ENCRYPTION_RETIRED_KEYS: first ?? '' }
    await using server = await startProcess({
      dataDir: folder,
      env: { ...before, ALLOW_PRIVATE_ADDRESSES: 'true' },
    })
    const signUp = { email: 'rotating@example.com', password: 'correct horse battery' }
    const account = (await (await post(`${server.url}/api/v1/accounts`, signUp)).json()) as {
      data: { accessToken: string }
    }
    const headers = {
      authorization: `Bearer ${account.data.accessToken}`,
      'content-type': 'application/json',
    }
    const call = async (path: string, body: object) => {
      const init = { method: 'POST', headers, body: JSON.stringify(body) }
      const response = await fetch(`${server.url}/api/v1/keys${path}`, init)
      return {
        status: response.status,
        data: ((await response.json()) as { data: { key: { id: string } } }).data,
      }
    }
    const baseUrl = `http://${await freePort().then(port => `127.0.0.1:${port}`)}/v1`
    const added = await call('', { provider: 'custom', baseUrl, apiKey: 'sk-rotating-0123456789' })
    expect(added.status).toBe(201)
    const one = await verb(['keys', 'rotate'], after)
    expect([one.code, one.out]).toEqual([
      0,
      expect.stringMatching(/1 keys wrapped anew; 1 are under master key \d+ now; 0 /),
    ])
    expect((await verb(['keys', 'rotate'], after)).out).toMatch(/^0 keys wrapped anew; 1 are/)
    expect((await call(`/${added.data.key.id}/test`, {})).data).toMatchObject({ verdict: 'unreachable' })
    const lost = await verb(['keys', 'rotate'], { ENCRYPTION_KEY: 'x'.repeat(32) })
    expect([lost.code, lost.err]).toEqual([1, expect.stringContaining('ENCRYPTION_RETIRED_KEYS')])
    expect((await verb(['keys'])).err).toBe('Usage: npm run keys -- rotate\n')
  })

  test('seed makes the demo users once, and is refused in production', async () => {
    expect((await verb(['seed'])).out).toMatch(/made demo@example.com with password demo123/)
    expect((await verb(['seed'])).out).toMatch(/demo@example.com is there already/)
    const production = {
      NODE_ENV: 'production',
      JWT_SECRET: 'x'.repeat(40),
      ENCRYPTION_KEY: 'z'.repeat(40),
      PUBLIC_URL: 'https://a.example',
    }
    const refused = await verb(['seed'], production)
    expect(refused.code).toBe(1)
    expect(refused.err).toMatch(/refused in production/)
  })

  test('seed makes accounts with conversations for measurements', async () => {
    const { out } = await verb(['seed', '--accounts', '3', '--messages', '4', '--json'])
    const made = JSON.parse(out) as { token: string; conversationId: string }[]
    expect(made).toHaveLength(3)
    await using server = await startProcess({ dataDir: folder })
    const [one] = made
    const response = await fetch(`${server.url}/api/v1/conversations/${one?.conversationId}`, {
      headers: { authorization: `Bearer ${one?.token}` },
    })
    const read = (await response.json()) as { data: { messages: unknown[] } }
    expect(read.data.messages).toHaveLength(4)
  })

  test('admin grants and takes back, and names whom it does not find', async () => {
    await verb(['seed'])
    expect((await verb(['admin', 'grant', 'demo@example.com'])).out).toMatch(/now an administrator/)
    expect((await verb(['admin', 'revoke', 'demo@example.com'])).out).toMatch(/no longer an administrator/)
    const missing = await verb(['admin', 'grant', 'nobody@example.com'])
    expect(missing.code).toBe(1)
    expect(missing.err).toMatch(/not found/i)
    expect((await verb(['admin', 'promote'])).err).toMatch(/Usage: npm run admin/)
  }, 60_000)
})
