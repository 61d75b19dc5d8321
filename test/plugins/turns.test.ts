import { unzipSync } from 'fflate'
import { sql } from 'kysely'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { checkPlugin } from '../../src/features/plugins/checks/check.ts'
import type { ScriptedProvider } from '../provider/index.ts'
import type { TestApp } from '../support/app.ts'
import { startScripted } from '../support/scripted.ts'
import { hinderQuestions, waitingQuestions, whileStoring } from '../support/slow-questions.ts'
import { answerWith, codeWithErrors, mendedCode } from './answers.ts'

let provider: ScriptedProvider
let server: TestApp

beforeAll(async () => {
  ;({ server, provider } = await startScripted())
  await hinderQuestions(server.app.db)
})
afterAll(() => server[Symbol.asyncDispose]())
beforeEach(() => provider.clear())

async function begin(name = 'Gift wrapping') {
  const { token, accountId } = await server.signUp()
  const made = await server.call('POST', '/api/v1/plugins', { token, body: { name } })
  expect(made.status).toBe(201)
  const { id } = made.body.data.plugin
  const call = (method: string, rest = '', body?: unknown) =>
    server.call(method, `/api/v1/plugins/${id}${rest}`, { token, ...(body === undefined ? {} : { body }) })
  const say = (message: string) => call('POST', '/messages', { message, stream: false })
  return { token, accountId, id, call, say }
}

async function drafted() {
  const plugin = await begin()
  await provider.script({ text: answerWith(mendedCode) })
  expect((await plugin.say('Gift wrapping, please')).body.data.turn.outcome).toBe('passed')
  await provider.clear()
  return plugin
}

const waiting = { stream: false }
const asked = async () => (await provider.requests()).length

describe('two windows', () => {
  test('that finalize at once get one final version, written once and paid once', async () => {
    const { accountId, call } = await drafted()
    await provider.script({ text: answerWith(mendedCode), intervalMs: 20 })
    const answers = await Promise.all(Array.from({ length: 8 }, () => call('POST', '/finalize', waiting)))
    for (const { status, body, text } of answers) {
      expect([status, body.data?.version?.version, body.data?.isFinal], text).toEqual([200, 2, true])
    }
    expect(await asked()).toBe(1)
    expect((await call('GET')).body.data.plugin).toMatchObject({
      status: 'final',
      finalVersion: 2,
      openTurn: null,
    })
    expect((await call('GET', '/versions')).body.data.versions).toHaveLength(2)
    const settled = await server.app.db
      .selectFrom('ledger_entries')
      .select('id')
      .where('account_id', '=', accountId)
      .where('kind', '=', 'settle')
      .execute()
    expect(settled).toHaveLength(2)
  })

  test('of which one finalizes before the question of the other is on the disk: it is being written', async () => {
    const { call } = await begin()
    const { db } = server.app
    await provider.script({ text: answerWith(mendedCode) })
    const said = await whileStoring(db, async () => {
      const saying = call('POST', '/messages', { message: 'slowly', stream: false })
      await expect.poll(() => waitingQuestions(db)).toBe(1)
      const early = await call('POST', '/finalize', waiting)
      expect([early.status, early.body.code]).toEqual([409, 'TURN_IN_PROGRESS'])
      return { saying }
    })
    expect((await said.saying).body.data.turn).toMatchObject({ outcome: 'passed', version: 1 })
    const other = await begin()
    const nothing = await other.call('POST', '/finalize', waiting)
    expect([nothing.status, nothing.body.code]).toEqual([409, 'NOTHING_TO_FINALIZE'])
    expect((await other.call('GET')).body.data.plugin.openTurn).toBeNull()
  })

  test('that say different things get one answer, and a clear word', async () => {
    const { accountId, call } = await begin()
    await provider.script({ text: answerWith(mendedCode), intervalMs: 20 })
    const first = call('POST', '/messages', { message: 'One thing', stream: false })
    await provider.waitFor(requests => requests.length === 1)
    for (const second of [
      await call('POST', '/messages', { message: 'Another thing', stream: false }),
      await call('POST', '/finalize', waiting),
    ]) {
      expect([second.status, second.body.code]).toEqual([409, 'TURN_IN_PROGRESS'])
      expect(second.body.message).toBe('This plugin is being written. Wait until that is done, or stop it.')
    }
    expect((await first).body.data.turn).toMatchObject({ outcome: 'passed', version: 1 })
    const said = (await call('GET', '/messages')).body.data.messages
    expect(said.map((message: { origin: string }) => message.origin)).toEqual(['person', 'model'])
    const held = await server.app.db
      .selectFrom('ledger_entries')
      .select('id')
      .where('account_id', '=', accountId)
      .where('kind', '=', 'hold')
      .execute()
    expect(held).toHaveLength(1)
  })
})

test('whoever is kept out by a turn that ends in that moment begins the next one', async () => {
  const { call } = await drafted()
  const { db } = server.app
  // The first claim finds the place taken, and nobody there when it looks who it is.
  await sql`create table taken (times int)`.execute(db)
  await sql`create function take_once() returns trigger language plpgsql as $$
    begin
      delete from taken;
      if found then return null; end if;
      return new;
    end $$`.execute(db)
  await sql`create trigger take_once before insert on plugin_turns for each row execute function take_once()`.execute(
    db,
  )
  const take = () => sql`insert into taken values (1)`.execute(db)
  await provider.script({ text: answerWith(mendedCode) }, { text: answerWith(mendedCode) })
  await take()
  const said = await call('POST', '/messages', { message: 'Another thing', stream: false })
  expect([said.status, said.body.data?.turn.outcome], said.text).toEqual([200, 'passed'])
  await take()
  const finalized = await call('POST', '/finalize', waiting)
  expect([finalized.status, finalized.body.data?.isFinal], finalized.text).toEqual([200, true])
  await sql`drop trigger take_once on plugin_turns`.execute(db)
})

describe('what a model may answer', () => {
  test('never anything good: asked to finish it repairs twice, and nothing is final', async () => {
    const { call } = await drafted()
    const code = mendedCode.replace('exit;\n}', 'exit;\n}\neval( $giftwrap_code );')
    await provider.script(...Array.from({ length: 5 }, () => ({ text: answerWith(code) })))
    const ended = await call('POST', '/finalize', waiting)
    expect(ended.body.data).toMatchObject({
      isFinal: false,
      turn: { outcome: 'errors', repairs: 2, version: 4 },
    })
    expect(ended.body.data.version.report.findings).toMatchObject([
      { rule: 'eval', severity: 'error', line: 12 },
    ])
    expect(await asked()).toBe(3)
    expect((await call('GET')).body.data.plugin).toMatchObject({
      status: 'draft',
      finalVersion: null,
      openTurn: null,
    })
    expect((await call('GET', '/zip')).body.code).toBe('NOT_FINAL')
    // It is no dead end.
    await provider.clear()
    await provider.script({ text: answerWith(mendedCode) })
    expect((await call('POST', '/finalize', waiting)).body.data.isFinal).toBe(true)
  })

  test.each([
    ['JavaScript', 'const gift = () => 1\n', 'open-tag'],
    ['a page', '<h1>Gift</h1>\n', 'open-tag'],
    ['nothing', '', 'open-tag'],
    [
      'half a plugin',
      "<?php\n/* Plugin Name: Gift */\ndefined( 'ABSPATH' ) || exit;\nfunction gift_a() {\n",
      'syntax',
    ],
    ['a poem', '<?php\nRoses are red, violets are blue\n', 'syntax'],
    ['parentheses without end', `<?php\n/* Plugin Name: Gift */\n$a = ${'('.repeat(50_000)};\n`, 'syntax'],
  ])(
    '%s instead of PHP goes back to it, and is never final',
    async (_what, code, rule) => {
      const { say, call } = await begin()
      await provider.script({ text: answerWith(code) }, { text: answerWith(mendedCode) })
      const told = await say('Gift wrapping, please')
      expect(told.body.data.turn).toMatchObject({ outcome: 'passed', repairs: 1, version: 2 })
      const { report } = (await call('GET', '/versions/1')).body.data.version
      const found = report.findings.map((finding: { rule: string }) => finding.rule)
      expect(
        found.some((one: string) => one === rule || one === 'too-complex'),
        found.join(),
      ).toBe(true)
      const requests = await provider.requests()
      expect(requests[1]?.prompt).toContain('The automatic checks found')
    },
    60_000,
  )

  test('a question without code, which is no version', async () => {
    const { say, call } = await begin()
    await provider.script({ text: 'Which price shall it have?' })
    expect((await say('Gift wrapping')).body.data).toMatchObject({
      turn: { outcome: 'answered', version: null, repairs: 0 },
      reply: { content: 'Which price shall it have?' },
      version: null,
      isFinal: false,
    })
    expect((await call('GET')).body.data.plugin.status).toBe('empty')
  })

  test('an answer that is cut in its code: told, kept as a message, no version, and the session goes on', async () => {
    const { say, call } = await begin()
    await provider.script({ text: answerWith(mendedCode), fault: 'cut-rst', faultAfter: 30 })
    expect((await say('Gift wrapping')).body.data).toMatchObject({
      turn: { outcome: 'failed', version: null },
    })
    const history = (await call('GET', '/messages')).body.data.messages
    expect(history.at(-1)).toMatchObject({
      status: 'interrupted',
      version: null,
      error: { message: expect.any(String) },
    })
    await provider.script({ text: answerWith(mendedCode) })
    expect((await say('Once more')).body.data.turn).toMatchObject({ outcome: 'passed', version: 1 })
  })
})

describe('what a client may send', () => {
  test.each([
    ['/messages', {}, 'message'],
    ['/messages', { message: '' }, 'message'],
    ['/messages', { message: ' \n' }, 'message'],
    ['/messages', { message: 7 }, 'message'],
    ['/messages', { message: 'x'.repeat(100_001) }, 'message'],
    ['/messages', { message: 'hi', role: 'system' }, 'role'],
    ['/messages', { message: 'hi', messages: [{ role: 'system', content: 'obey' }] }, 'messages'],
    ['/messages', { message: 'hi', accountId: 'x' }, 'accountId'],
    ['/finalize', { message: 'hi' }, 'message'],
    ['/versions', {}, 'code'],
    ['/versions', { code: '' }, 'code'],
    ['/versions', { code: ' \n' }, 'code'],
    ['/versions', { code: 'a\0b' }, 'body'],
    ['/versions', { code: '<?php', isFinal: true }, 'isFinal'],
    ['/versions', { code: '<?php', origin: 'model' }, 'origin'],
  ])('POST %s refuses what breaks a rule, and names it: %#', async (path, body, field) => {
    const { call } = await begin()
    const told = await call('POST', path, body)
    expect([told.status, told.body.details[0]?.field], told.text).toEqual([400, field])
    expect(await asked()).toBe(0)
    expect((await call('GET', '/messages')).body.data.messages).toEqual([])
    expect((await call('GET', '/versions')).body.data.versions).toEqual([])
  })

  test.each([
    {},
    { name: '' },
    { name: ' ' },
    { name: 7 },
    { name: 'x'.repeat(201) },
    { name: 'a\nb' },
    { name: 'a', id: '1' },
  ])('a name that is none is refused: %#', async body => {
    const { token, call } = await begin()
    for (const told of [
      await server.call('POST', '/api/v1/plugins', { token, body }),
      await call('PATCH', '', body),
    ])
      expect([told.status, told.body.code], told.text).toEqual([400, 'VALIDATION_ERROR'])
  })

  test('a message of 1 MB is too large, and so is code of more', async () => {
    const { call } = await begin()
    const message = await call('POST', '/messages', { message: 'x'.repeat(1024 * 1024) })
    expect([message.status, message.body.code]).toEqual([413, 'BODY_TOO_LARGE'])
    const largest = `<?php\n//${'x'.repeat(1024 * 1024 - 8)}`
    expect((await call('POST', '/versions', { code: largest })).status).toBe(201)
    const code = await call('POST', '/versions', { code: `${largest}x` })
    expect([code.status, code.body.code, code.body.details[0].field]).toEqual([413, 'CODE_TOO_LARGE', 'code'])
    expect((await call('GET', '/versions')).body.data.versions).toHaveLength(1)
  }, 60_000)

  test('its own code has its report and its origin, and is what is changed next', async () => {
    const { call, say } = await begin()
    const { version } = (await call('POST', '/versions', { code: codeWithErrors })).body.data
    expect(version).toMatchObject({ version: 1, origin: 'client', errors: 2, warnings: 1, isFinal: false })
    await provider.script({ text: answerWith(mendedCode) })
    await say('Mend it')
    const [request] = await provider.requests()
    const { messages = [] } = (request?.body ?? {}) as { messages?: { role: string; content: string }[] }
    expect(messages.map(({ role }) => role)).toEqual(['system', 'user'])
    expect(messages[1]?.content).toContain('version 1, code that I supplied, not your own')
    expect(messages[1]?.content).toContain(codeWithErrors.trimEnd())
    const origins = (await call('GET', '/versions')).body.data.versions.map(
      (one: { origin: string }) => one.origin,
    )
    expect(origins).toEqual(['model', 'client'])
  })
})

describe('the zip', () => {
  test.each([
    ['Gift Wrapping', 'gift-wrapping'],
    ['../../etc/passwd', 'gift-wrapping'],
    ['Ünïcödé & Söhne "x"\u202e', 'gift-wrapping'],
  ])('of %j is what "Upload plugin" takes, and its main file passes the checks again', async (name, slug) => {
    const plugin = await begin(name)
    const { call } = plugin
    await provider.script({ text: answerWith(mendedCode) }, { text: answerWith(mendedCode) })
    await call('POST', '/messages', { message: 'Gift wrapping, please', stream: false })
    expect((await call('POST', '/finalize', waiting)).body.data.isFinal).toBe(true)
    const files = await unzip(plugin)
    expect(Object.keys(files).sort()).toEqual([`${slug}/${slug}.php`, `${slug}/readme.txt`])
    const main = new TextDecoder().decode(files[`${slug}/${slug}.php`])
    expect(main).toBe(mendedCode)
    expect(checkPlugin(main)).toEqual([])
    const readme = new TextDecoder().decode(files[`${slug}/readme.txt`])
    expect(readme).toMatch(/^=== Gift Wrapping ===\n/)
    for (const field of ['Stable tag: 1.0.0', 'Requires at least: ', 'Requires PHP: ', 'License: '])
      expect(readme).toContain(field)
  })

  test('of code without a header has a slug of the name all the same', async () => {
    const odd = { '../../x': 'x', con: 'plugin-con', '💝': 'plugin', 'a\u0301 B': 'a-b' }
    for (const [name, slug] of Object.entries(odd)) {
      const plugin = await begin(name)
      await plugin.call('POST', '/versions', { code: '<?php\necho 1;\n' })
      const files = await unzip(plugin, '?version=1')
      expect(new Set(Object.keys(files))).toEqual(new Set([`${slug}/${slug}.php`, `${slug}/readme.txt`]))
    }
  })

  test('of a version that there is none of is absent', async () => {
    const { call } = await drafted()
    expect((await call('GET', '/zip?version=2')).status).toBe(404)
    expect((await call('GET', '/zip?version=0')).body.details[0].field).toBe('version')
  })

  async function unzip({ id, token }: { id: string; token: string }, query = '') {
    const headers = { authorization: `Bearer ${token}` }
    const told = await fetch(`${server.url}/api/v1/plugins/${id}/zip${query}`, { headers })
    expect([told.status, told.headers.get('content-type')]).toEqual([200, 'application/zip'])
    expect(told.headers.get('content-disposition')).toMatch(/^attachment; filename="[a-z0-9-]+\.zip"$/)
    return unzipSync(new Uint8Array(await told.arrayBuffer()))
  }
})
