import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type ArtifactsWorld, openArtifacts, type Told } from '../../../test/support/artifacts.ts'
import { AppError } from '../../lib/errors.ts'
import { newId } from '../../lib/ids.ts'

let world: ArtifactsWorld
let accountId: string

beforeAll(async () => {
  world = await openArtifacts()
  accountId = await world.account()
}, 60_000)
afterAll(() => world[Symbol.asyncDispose]())

const place = async () => ({ accountId, conversationId: await world.conversation(accountId) })
const fence = (language: string, code: string) => `\`\`\`${language}\n${code}\n\`\`\`\n\n`
const list = ({ conversationId }: { conversationId: string }) =>
  world.artifacts.listByConversation(accountId, conversationId)
const codeOf = async (id: string | undefined) =>
  (await world.artifacts.readFiles(accountId, id ?? ''))[0]?.content ?? ''
const idsOf = (told: Told) => told.artifacts.map(({ id }) => id)

const html = fence(
  'html',
  '<!doctype html>\n<html>\n<head>\n<title>Shop</title>\n<link rel="stylesheet" href="a.css">\n</head>\n<body>\n<p id="x" class="x">shop</p>\n</body>\n</html>',
)
const css = (colour: string) => fence('css', `.x {\n  color: ${colour};\n  margin: 0;\n  padding: 0;\n}`)
const js = fence(
  'js',
  "const x = document.getElementById('x')\nfunction show() {\n  x.textContent = 'shown'\n}\nshow()",
)

describe('what blocks of a reply were merged into', () => {
  test('is told after its blocks, as the next version of the leading one', async () => {
    const where = await place()
    const told = await world.answer(where, html + css('teal') + js)
    expect(told.events.filter(event => event.type === 'artifact-ready').map(event => event.key)).toEqual([
      ...['block-1', 'block-2', 'block-3', 'consolidated-1'],
    ])
    const [page, style, script, whole] = told.artifacts
    expect(whole).toMatchObject({ title: 'Shop', version: 2, type: 'HTML', fileCount: 1 })
    expect(whole?.consolidatedFrom).toEqual([page?.id, style?.id, script?.id])
    const again = await world.answer(where, html + css('red') + js)
    expect(again.artifacts.at(-1)).toMatchObject({
      title: 'Shop',
      version: 4,
      consolidatedFrom: idsOf(again).slice(0, 3),
    })
    expect(await codeOf(whole?.id)).toContain('color: teal')
    expect(await codeOf(again.artifacts.at(-1)?.id)).toContain('color: red')
  })

  test('has the style sheets beside it that it imports, and builds with them', async () => {
    const component = fence(
      'jsx',
      'import \'./styles/card.css\'\n\nexport default function Card() {\n  return <b className="x">styled</b>\n}',
    )
    const told = await world.answer(await place(), component + css('rebeccapurple'))
    const whole = told.artifacts.at(-1)
    expect(whole).toMatchObject({ title: 'Card', version: 2, type: 'REACT', fileCount: 2 })
    const files = await world.artifacts.readFiles(accountId, whole?.id ?? '')
    expect(files.map(({ path }) => path)).toEqual(['Card.jsx', 'styles/card.css'])
    const built = await world.artifacts.build(accountId, whole?.id ?? '')
    expect(built.ok && built.html).toContain('rebeccapurple')
    expect((await world.artifacts.build(accountId, told.artifacts[0]?.id ?? '')).ok).toBe(false)
  })

  test('grows when the answer goes on, and is not made twice', async () => {
    const where = await place()
    const first = await world.answer(where, html + css('teal'))
    expect(first.artifacts).toHaveLength(3)
    const { messageId } = first
    const second = await world.answer(where, js, { prefix: html + css('teal'), messageId })
    const whole = second.artifacts.at(-1)
    expect(whole).toMatchObject({ type: 'HTML', version: 3 })
    expect(whole?.consolidatedFrom).toEqual([...idsOf(first).slice(0, 2), second.artifacts[0]?.id])
    expect((await list(where)).map(({ id }) => id)).toEqual([...idsOf(first).slice(0, 2), ...idsOf(second)])
    expect(await codeOf(whole?.id)).toMatch(/color: teal[\s\S]*x\.textContent/)
    const more = await world.answer(where, 'And that is all.', { prefix: html + css('teal') + js, messageId })
    expect(more.artifacts).toEqual([])
    const python = fence('python', 'import os\n\n\ndef main():\n    print(os.name)\n\n\nmain()\nmain()')
    const unrelated = await world.answer(where, python, { prefix: html + css('teal') + js, messageId })
    expect(unrelated.artifacts).toMatchObject([{ type: 'PYTHON' }])
  })

  test('goes with a generation that is run again, and comes anew', async () => {
    const where = await place()
    const first = await world.answer(where, html + css('teal') + js)
    const again = await world.answer(where, html + css('teal') + js, {
      messageId: first.messageId,
      generationId: first.generationId,
    })
    expect((await list(where)).map(({ id }) => id)).toEqual(idsOf(again))
    expect(again.artifacts.at(-1)?.consolidatedFrom).toEqual(idsOf(again).slice(0, 3))
  })

  test('comes also for an answer that nobody watched to its end', async () => {
    const where = await place()
    const { messageId } = await world.answer(where, 'no code')
    await world.artifacts.keep({ ...where, generationId: newId(), replyId: messageId }, html + css('teal'))
    expect(await list(where)).toMatchObject([{ type: 'HTML' }, { type: 'CSS' }, { version: 2, type: 'HTML' }])
  })

  test('is kept when a block of it is deleted, and leaves its blocks when it is', async () => {
    const where = await place()
    const told = await world.answer(where, html + css('teal') + js)
    const [page, style, script, whole] = idsOf(told)
    await world.artifacts.remove(accountId, page ?? '')
    expect(await world.artifacts.read(accountId, whole ?? '')).toMatchObject({
      consolidatedFrom: [style, script],
    })
    await world.artifacts.remove(accountId, whole ?? '')
    expect((await list(where)).map(({ id, consolidatedInto }) => [id, consolidatedInto])).toEqual([
      [style, null],
      [script, null],
    ])
    await world.artifacts.remove(accountId, style ?? '')
    await world.artifacts.remove(accountId, script ?? '')
    expect((await world.keys()).filter(key => key.includes(where.conversationId))).toEqual([])
  })

  test('is left out when it cannot be read in time, and the answer ends as ever', async () => {
    const refusals = [
      new AppError('timeout', 'BUILD_TIMEOUT', 'too slow'),
      new AppError('limited', 'BUILD_QUEUE', 'full'),
    ]
    const outlines = [
      ...refusals.map(refusal => () => Promise.reject(refusal)),
      () => new Promise<never>(() => {}),
    ]
    for (const outline of outlines) {
      const where = await place()
      const { messageId } = await world.answer(where, 'no code')
      const artifacts = world.again({ ...world.bundler, outline })
      await artifacts.keep({ ...where, generationId: newId(), replyId: messageId }, html + css('teal'))
      expect(await list(where)).toMatchObject([{ type: 'HTML' }, { type: 'CSS' }])
    }
  })
})
