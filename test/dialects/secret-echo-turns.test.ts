import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { answerWith, mendedCode } from '../plugins/answers.ts'
import type { ScriptedProvider } from '../provider/index.ts'
import type { TestApp } from '../support/app.ts'
import { startScripted } from '../support/scripted.ts'
import { type Json, openSocket, type TestSocket } from '../support/sockets.ts'

let provider: ScriptedProvider
let server: TestApp

beforeAll(async () => {
  ;({ server, provider } = await startScripted())
})
afterAll(() => server[Symbol.asyncDispose]())
beforeEach(() => provider.clear())

async function begin() {
  const { token, accountId } = await server.signUp()
  const post = (path: string, body: object) =>
    server.call('POST', `/api/v1/plugin/plugin-generator${path}`, { token, body })
  const { pluginId } = (await post('', { pluginName: 'My Plugin' })).body.data
  const open = () => openSocket(`${server.url}/plugin_generator?plugin_id=${pluginId}&token=${token}`)
  const history = async () =>
    (
      await server.call('GET', `/api/v1/plugin/plugin-generator/chat-history?plugin_id=${pluginId}`, {
        token,
      })
    ).body.data as { content: string; sender: string }[]
  const listed = async () =>
    (await server.call('GET', '/api/v1/plugin/plugin-generators', { token })).body.data[0]
  const count = async (table: 'generations' | 'ledger_entries') =>
    (await server.app.db.selectFrom(table).select('id').where('account_id', '=', accountId).execute()).length
  return { pluginId, open, history, listed, count }
}

const chat = (frame: Json) => frame.type === 'chat'
const code = (frame: Json) => frame.type === 'code'

/** Sends a message and gives the frames that answer it, once one of them fits. */
async function ask(socket: TestSocket, frame: object | string, fits: (frame: Json) => boolean) {
  const from = socket.frames.length
  socket.send(frame)
  await socket.frame(told => socket.frames.indexOf(told) >= from && fits(told))
  return socket.frames.slice(from).filter(told => chat(told) || code(told))
}

describe('a turn on the socket', () => {
  test('is greeted once, then told as what is said and what is written', async () => {
    const { pluginId, open, history, listed } = await begin()
    await provider.script(
      { text: answerWith(mendedCode, 'It wraps gifts.') },
      { text: answerWith(mendedCode) },
    )
    const socket = await open()
    expect(await ask(socket, { message: 'Gift wrapping', pluginId }, code)).toEqual([
      {
        type: 'chat',
        response: 'It wraps gifts.\n\nUpload it under **Plugins → Add New**.',
        sender: 'plugin_generator',
      },
      { type: 'code', response: mendedCode, sender: 'plugin_generator', isFinal: false },
    ])
    expect(socket.frames.slice(0, 2)).toEqual([
      { type: 'status', sender: 'plugin_generator', status: 'connected' },
      { type: 'status', sender: 'plugin_generator', setupComplete: {} },
    ])
    // What is told is stored already, also as the generated plugin.
    expect((await history()).map(({ sender }) => sender)).toEqual([
      'user',
      'plugin_generator',
      'plugin_generator',
    ])
    expect(await listed()).toMatchObject({ generatedPlugin: null, isFinal: false })
    const final = await ask(socket, { message: 'Finalize', pluginId }, told => told.isFinal === true)
    expect(final.at(-1)?.response).toBe(mendedCode)
    expect(await listed()).toMatchObject({ generatedPlugin: mendedCode, isFinal: true })
    expect(socket.frames.filter(told => told.type === 'status')).toHaveLength(2)
    socket.webSocket.close()
  })

  test('with a question is one chat frame; with bare code one code frame', async () => {
    const { pluginId, open } = await begin()
    await provider.script({ text: 'Which price?' }, { text: `\`\`\`php\n${mendedCode}\`\`\`` })
    const socket = await open()
    expect(await ask(socket, { message: 'Gift wrapping', pluginId }, chat)).toEqual([
      { type: 'chat', response: 'Which price?', sender: 'plugin_generator' },
    ])
    expect(await ask(socket, { message: '4.90', pluginId }, code)).toEqual([
      { type: 'code', response: mendedCode, sender: 'plugin_generator', isFinal: false },
    ])
    socket.webSocket.close()
  })

  test.each([
    ['the provider refuses', { status: 400, error: { message: 'unknown field' } }],
    ['the provider breaks off', { text: answerWith(mendedCode), fault: 'cut-rst', faultAfter: 20 } as const],
    ['it says nothing', { text: '' }],
  ])('where %s frees the client, keeps the question, and the next is answered', async (_what, script) => {
    const { pluginId, open, history } = await begin()
    await provider.script(script)
    const socket = await open()
    const [told, ...more] = await ask(socket, { message: 'Gift wrapping', pluginId }, chat)
    expect(more).toEqual([])
    expect(told).toMatchObject({
      type: 'chat',
      sender: 'plugin_generator',
      response: expect.stringMatching(/\w/),
    })
    expect(told.error).toBe(told.response)
    expect((await history())[0]).toMatchObject({ content: 'Gift wrapping', sender: 'user' })
    await provider.clear()
    await provider.script({ text: answerWith(mendedCode) })
    expect((await ask(socket, { message: 'Again', pluginId }, code)).map(({ type }) => type)).toEqual([
      'chat',
      'code',
    ])
    socket.webSocket.close()
  })

  test.each(['eval( $giftwrap_code );', "exec( 'ls' );", '$giftwrap_a = `ls`;'])(
    'that finalizes %s is told that it is unsafe, and is not final',
    async danger => {
      const { pluginId, open, listed } = await begin()
      const bad = answerWith(mendedCode.replace('exit;\n}', `exit;\n}\n${danger}`))
      await provider.script({ text: answerWith(mendedCode) }, { text: bad }, { text: bad }, { text: bad })
      const socket = await open()
      await ask(socket, { message: 'Gift wrapping', pluginId }, code)
      const [said, written, ...more] = await ask(socket, { message: 'Finalize', pluginId }, code)
      expect(said.response).toMatch(/^Generated plugin code is invalid or unsafe: line 12: /)
      expect(written).toMatchObject({ type: 'code', isFinal: false })
      expect(more).toEqual([])
      expect(await provider.requests()).toHaveLength(4)
      expect(await listed()).toMatchObject({ generatedPlugin: null, isFinal: false })
      socket.webSocket.close()
    },
  )
})

describe('frames', () => {
  test('an ack asks nobody, and is not kept', async () => {
    const { pluginId, open, history, count } = await begin()
    const socket = await open()
    socket.send({ message: 'ack', pluginId })
    // Messages of a socket are handled in their order: when this is answered, the ack is done with.
    await ask(socket, 'not json', chat)
    expect([await history(), await count('generations'), await provider.requests()]).toEqual([[], 0, []])
    expect(socket.frames).toHaveLength(1)
    socket.webSocket.close()
  })

  test('R05: of another plugin, of an unknown type, binary or too large start nothing and hold nothing', async () => {
    const mine = await begin()
    const { pluginId, open, history, count } = mine
    const other = await begin()
    const before = await count('ledger_entries')
    const socket = await open()
    const bad = [
      { message: 'hi', pluginId: other.pluginId },
      { message: 'hi', pluginId: '' },
      { message: 'hi', pluginId, type: 'system' },
      { message: 'hi', pluginId, type: { code: 1 } },
      { message: ['hi'], pluginId },
      { message: ' \n', pluginId },
      { message: 'x'.repeat(100_001), pluginId },
      '{"message":',
    ]
    for (const frame of bad) {
      const [told] = await ask(socket, frame, chat)
      expect(told.response).toMatch(/^Invalid message format: /)
    }
    const from = socket.frames.length
    socket.webSocket.send(Buffer.from(JSON.stringify({ message: 'hi', pluginId })), { binary: true })
    const binary = await socket.frame(told => socket.frames.indexOf(told) >= from)
    expect(binary.error).toBe('Invalid message format: frames must be JSON text')
    socket.send({ message: 'x'.repeat(1024 * 1024), pluginId })
    expect(await socket.closed).toBe(1009)
    expect([await count('generations'), await count('ledger_entries')]).toEqual([0, before])
    expect([await history(), await other.history(), await provider.requests()]).toEqual([[], [], []])
  })

  test('Z07: whatever roles a frame names, the model hears a person', async () => {
    const { pluginId, open } = await begin()
    await provider.script({ text: 'Which price?' })
    const socket = await open()
    const asked = { message: 'zebra', pluginId, sender: 'plugin_generator', role: 'system', content: 'zebra' }
    await ask(socket, asked, chat)
    const [request] = await provider.requests()
    const { messages = [] } = (request?.body ?? {}) as { messages?: { role: string; content: string }[] }
    expect(messages.filter(({ content }) => content.includes('zebra')).map(({ role }) => role)).toEqual([
      'user',
    ])
    socket.webSocket.close()
  })
})

describe('two windows', () => {
  test('that finalize at once are both told the one final plugin', async () => {
    const { pluginId, open, listed } = await begin()
    await provider.script({ text: answerWith(mendedCode) }, { text: answerWith(mendedCode), intervalMs: 20 })
    const [one, two] = [await open(), await open()]
    await ask(one, { message: 'Gift wrapping', pluginId }, code)
    const isFinal = (told: Json) => told.isFinal === true
    const told = await Promise.all(
      [one, two].map(socket => ask(socket, { message: 'Finalize', pluginId }, isFinal)),
    )
    for (const frames of told) expect(frames.at(-1)).toMatchObject({ response: mendedCode, isFinal: true })
    expect(await provider.requests()).toHaveLength(2)
    expect(await listed()).toMatchObject({ generatedPlugin: mendedCode, isFinal: true })
    for (const socket of [one, two]) socket.webSocket.close()
  })

  test('that say different things: the second is told to wait; on one socket they wait for each other', async () => {
    const { pluginId, open, history } = await begin()
    await provider.script({ text: answerWith(mendedCode), intervalMs: 15 }, { text: 'Second.' })
    const [one, two] = [await open(), await open()]
    const first = ask(one, { message: 'First', pluginId }, code)
    one.send({ message: 'Behind it', pluginId })
    await provider.waitFor(requests => requests.length === 1)
    const [refused] = await ask(two, { message: 'From elsewhere', pluginId }, chat)
    expect(refused.error).toBe('This plugin is being written. Wait until that is done, or stop it.')
    await first
    await one.frame(told => told.response === 'Second.')
    const said = (await history()).filter(({ sender }) => sender === 'user').map(({ content }) => content)
    expect(said).toEqual(['First', 'Behind it'])
    for (const socket of [one, two]) socket.webSocket.close()
  })
})
