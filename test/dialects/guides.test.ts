import { execFile, spawnSync } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startApp, type TestApp } from '../support/app.ts'

// What the guides tell newcomers to type, typed: each command must succeed, on a server as it starts by default.
const root = resolve(import.meta.dirname, '../..')
const hasCurl = spawnSync('curl', ['--version']).status === 0 && spawnSync('bash', ['--version']).status === 0
const run = promisify(execFile)

let server: TestApp
beforeAll(async () => {
  server = await startApp({ OTP_ECHO: 'true', BASIC_DAILY_MESSAGE_LIMIT: '5', SIGNUP_CREDITS: '20' })
  await server.app.work()
})
afterAll(() => server[Symbol.asyncDispose]())

async function shellOf(guide: string): Promise<string> {
  const text = await readFile(resolve(root, 'docs/dialects', `${guide}.md`), 'utf8')
  const blocks = [...text.matchAll(/```sh\n([\s\S]*?)```/g)].map(found => found[1])
  expect(blocks.length).toBeGreaterThan(0)
  return blocks.join('\n').replaceAll('localhost:3000', new URL(server.url).host)
}

/** What each guide's last answers must hold. */
const ends: Record<string, RegExp> = {
  'secret-echo': /^code <\?php[\s\S]*"generatedPlugin":"<\?php[\s\S]*Logged out successfully/m,
  'gemini-backend': /"message_type":"ai"[\s\S]*"tier":"pro"/,
  'coding-agent': /data: \[DONE\][\s\S]*<!doctype html>[\s\S]*<!doctype html>[\s\S]*export default/,
  'content-generator': /completed[\s\S]*Content saved successfully[\s\S]*"title":"Coffee"[\s\S]*\{"id":"/,
  'autoverse-hub': /"creditsAdded":500[\s\S]*"transactionId"[\s\S]*Token refreshed[\s\S]*Logged out/,
}

test.skipIf(!hasCurl).each(Object.entries(ends))(
  'the guide to %s does what it says',
  async (guide, end) => {
    const script = `set -euo pipefail\n${await shellOf(guide)}`
    const path = `${dirname(process.execPath)}:${process.env.PATH}`
    const { stdout } = await run('bash', ['-c', script], {
      cwd: root,
      env: { ...process.env, PATH: path },
      timeout: 90_000,
      maxBuffer: 1 << 24,
    })
    expect(stdout).toMatch(end)
  },
  100_000,
)
