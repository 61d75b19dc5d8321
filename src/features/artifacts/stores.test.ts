import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type ArtifactsWorld, openArtifacts } from '../../../test/support/artifacts.ts'
import { startBucket } from '../../../test/support/bucket.ts'
import { newId } from '../../lib/ids.ts'
import type { Bundler } from '../../platform/bundler/index.ts'

const component = (label: string) =>
  `\`\`\`tsx\nexport default function Kept() {\n  return <b>${label}</b>\n}\n\`\`\`\n`

/** A bundler that says how often it really built. */
function counted(bundler: Bundler) {
  let builds = 0
  return {
    bundler: {
      ...bundler,
      build(input: Parameters<Bundler['build']>[0]) {
        builds++
        return bundler.build(input)
      },
    },
    count: () => builds,
  }
}

describe.each(['disk', 'bucket'] as const)('artifacts kept in a %s', store => {
  let bucket: Awaited<ReturnType<typeof startBucket>> | null = null
  let world: ArtifactsWorld
  let accountId: string

  beforeAll(async () => {
    bucket = store === 'bucket' ? await startBucket() : null
    world = await openArtifacts(bucket ? { files: bucket.files } : {})
    accountId = await world.account()
  }, 60_000)
  afterAll(async () => {
    await world[Symbol.asyncDispose]()
    await bucket?.close()
  })

  const place = async () => ({ accountId, conversationId: await world.conversation(accountId) })
  const keysOf = async (conversationId: string) =>
    (await world.keys()).filter(key => key.includes(conversationId))
  const builtOf = async (conversationId: string) =>
    (await keysOf(conversationId)).filter(key => key.includes('/build-'))
  const deleteRows = (conversationId: string) =>
    world.database.db.deleteFrom('conversations').where('id', '=', conversationId).execute()

  test('what is asked for at once is built once, and another process finds it built', async () => {
    const where = await place()
    const { artifacts } = await world.answer(where, component('once'))
    const id = artifacts[0]?.id ?? ''
    const first = counted(world.bundler)
    const one = world.again(first.bundler)
    const outputs = await Promise.all(Array.from({ length: 20 }, () => one.build(accountId, id)))
    expect(outputs.every(output => output.ok)).toBe(true)
    expect(first.count()).toBe(1)
    await expect.poll(() => builtOf(where.conversationId)).toHaveLength(1)
    const second = counted(world.bundler)
    const other = world.again(second.bundler)
    expect(await other.build(accountId, id)).toEqual(outputs[0])
    expect((await other.preview(accountId, id)).build).toEqual(outputs[0])
    expect(second.count()).toBe(0)
    await other.build(accountId, id, { minify: true })
    expect(second.count()).toBe(1)
    const changed = counted({ ...world.bundler, fingerprint: 'another' })
    await world.again(changed.bundler).build(accountId, id)
    expect(changed.count()).toBe(1)
  })

  test('a kept build that cannot be read is built again', async () => {
    const where = await place()
    const { artifacts } = await world.answer(where, component('torn'))
    const id = artifacts[0]?.id ?? ''
    const output = await world.artifacts.build(accountId, id)
    await expect.poll(() => builtOf(where.conversationId)).toHaveLength(1)
    const [key = ''] = await builtOf(where.conversationId)
    await world.files.put(key, Buffer.from('{"ok": tr'), { contentType: 'application/json' })
    const own = counted(world.bundler)
    expect(await world.again(own.bundler).build(accountId, id)).toEqual(output)
    expect(own.count()).toBe(1)
  })

  test('an artifact takes its builds and its archive with it, and leaves those of other versions', async () => {
    const where = await place()
    const ids: string[] = []
    for (const label of ['one', 'two']) {
      const id = (await world.answer(where, component(label))).artifacts[0]?.id ?? ''
      ids.push(id)
      for (const minify of [false, true]) await world.artifacts.build(accountId, id, { minify })
      await world.artifacts.download(accountId, id, { asZip: true })
    }
    // Two versions of source, archive, and a build of each kind.
    await expect.poll(() => keysOf(where.conversationId)).toHaveLength(8)
    await world.artifacts.remove(accountId, ids[0] ?? '')
    expect(await keysOf(where.conversationId)).toHaveLength(4)
    expect((await world.artifacts.build(accountId, ids[1] ?? '')).ok).toBe(true)
    await world.artifacts.remove(accountId, ids[1] ?? '')
    expect(await keysOf(where.conversationId)).toEqual([])
  })

  test('a conversation and an account leave nothing, builds least of all', async () => {
    const owner = await world.account()
    const kept = await world.answer(await place(), component('stays'))
    const places = []
    for (const label of ['a', 'b']) {
      const conversationId = await world.conversation(owner)
      const where = { accountId: owner, conversationId }
      const { artifacts } = await world.answer(where, component(label))
      await world.artifacts.build(owner, artifacts[0]?.id ?? '')
      places.push(where)
    }
    const [first, second] = places
    await world.artifacts.removeConversation(owner, first?.conversationId ?? '')
    expect(await keysOf(first?.conversationId ?? '')).toEqual([])
    expect((await keysOf(second?.conversationId ?? '')).length).toBe(2)
    await world.artifacts.removeAccount(owner)
    expect((await world.keys()).filter(key => key.includes(owner))).toEqual([])
    expect((await world.artifacts.build(accountId, kept.artifacts[0]?.id ?? '')).ok).toBe(true)
  })

  test('titles cannot split the header of a download, or lead it elsewhere', async () => {
    for (const title of [
      'a\rSet-Cookie: hacked=1',
      'a"; filename="x.html',
      '../../x\\..\\y',
      '%2e%2e%2f\u2028x',
      'é'.repeat(2000),
      '．．／x',
      'con:\u0007\u202Egpj',
    ]) {
      const files = ['src/a.ts', 'src/b.ts'].map(path => `\`\`\`ts title="${path}"\nexport {}\n\`\`\`\n`)
      const { artifacts } = await world.answer(await place(), `# ${title}\n\n${files.join('\n')}`, {
        size: 5000,
      })
      const link = await world.artifacts.download(accountId, artifacts[0]?.id ?? '')
      expect(link.fileName.length).toBeLessThan(120)
      const headers = bucket
        ? (await fetch(link.url)).headers
        : new Headers(
            Object.entries((await world.server.inject(new URL(link.url).pathname)).headers) as [
              string,
              string,
            ][],
          )
      expect(headers.get('content-disposition')).toMatch(
        /^attachment; filename="[^"\\/;]{1,150}\.zip"; filename\*=UTF-8''[A-Za-z0-9%._~-]+\.zip$/,
      )
      expect(headers.get('set-cookie')).toBeNull()
      expect(headers.get('content-type')).toBe('application/zip')
    }
  })

  test('a sweep takes orphans and builds that are old at its second look, and only those', async () => {
    const where = await place()
    const gone = await place()
    const { artifacts } = await world.answer(where, component('swept around'))
    await world.answer(gone, component('gone'))
    await deleteRows(gone.conversationId)
    const id = artifacts[0]?.id ?? ''
    await world.artifacts.build(accountId, id)
    await world.again({ ...world.bundler, fingerprint: 'of-last-week' }).build(accountId, id)
    await world.artifacts.download(accountId, id, { asZip: true })
    const text = { contentType: 'text/plain' }
    const orphans = [
      `artifacts/${accountId}/${newId()}/${'0'.repeat(64)}`,
      `artifacts/${accountId}/${where.conversationId}/${'1'.repeat(64)}`,
      `artifacts/${accountId}/${where.conversationId}/${newId()}-project.zip`,
      `artifacts/${accountId}/not-an-id/x`,
    ]
    for (const key of orphans) await world.files.put(key, Buffer.from('x'), text)
    await world.files.put('elsewhere/x', Buffer.from('not ours to judge'), text)
    await expect.poll(() => builtOf(where.conversationId)).toHaveLength(2)
    expect(await world.artifacts.sweep()).toBe(0)
    for (const key of orphans) expect(await world.files.get(key)).not.toBeNull()
    expect(await world.artifacts.sweep()).toBeGreaterThanOrEqual(orphans.length + 2)
    for (const key of orphans) expect(await world.files.get(key)).toBeNull()
    expect(await keysOf(gone.conversationId)).toEqual([])
    expect(await keysOf(where.conversationId)).toHaveLength(3)
    expect(await builtOf(where.conversationId)).toEqual([expect.stringContaining(world.bundler.fingerprint)])
    expect(await world.files.get('elsewhere/x')).not.toBeNull()
    expect(await world.artifacts.sweep()).toBe(0)
  })

  test('of many versions only the newest keep their builds', async () => {
    const where = await place()
    const ids: string[] = []
    for (let index = 0; index < 53; index++)
      ids.push(
        (await world.answer(where, component(`version ${index}`), { size: 1000 })).artifacts[0]?.id ?? '',
      )
    for (const id of [...ids.slice(0, 4), ids.at(-1) ?? '']) await world.artifacts.build(accountId, id)
    await expect.poll(() => builtOf(where.conversationId)).toHaveLength(5)
    await world.artifacts.sweep()
    await world.artifacts.sweep()
    expect(await builtOf(where.conversationId)).toHaveLength(2)
    expect((await world.artifacts.build(accountId, ids[0] ?? '')).ok).toBe(true)
  })
})
