import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { type ArtifactsWorld, openArtifacts } from '../../../test/support/artifacts.ts'
import { openBrowser, type TestBrowser } from '../../../test/support/browser.ts'

/** A package as a CDN of esm.sh's kind sends it: a module that asks the page for its React. */
const badge = `import { createElement, useState } from 'react'
export default function Badge({ text }) {
  const [count, setCount] = useState(1)
  return createElement('button', { onClick: () => setCount(count + 1) }, text + ' ' + count)
}`

describe.skipIf(!inject('machine').chromium)('packages from a CDN in a browser', () => {
  let world: ArtifactsWorld
  let browser: TestBrowser
  let cdn: Server
  let other: Server
  let origin: string
  let accountId: string
  const asked: string[] = []
  const askedElsewhere: string[] = []

  async function listen(log: string[]): Promise<Server> {
    const server = createServer((request, response) => {
      log.push(request.url ?? '')
      response.setHeader('access-control-allow-origin', '*')
      response.setHeader('content-type', 'text/javascript')
      response.end(request.url?.startsWith('/badge') ? badge : 'export default "plain"')
    })
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    return server
  }
  const originOf = (server: Server) => `http://127.0.0.1:${(server.address() as AddressInfo).port}`

  beforeAll(async () => {
    cdn = await listen(asked)
    other = await listen(askedElsewhere)
    world = await openArtifacts({ cdn: originOf(cdn) })
    accountId = await world.account()
    origin = await world.server.listen({ host: '127.0.0.1', port: 0 })
    browser = await openBrowser()
  }, 90_000)
  afterAll(async () => {
    await browser?.[Symbol.asyncDispose]()
    await world?.[Symbol.asyncDispose]()
    for (const server of [cdn, other]) {
      server?.closeAllConnections()
      server?.close()
    }
  })

  test('are loaded from that origin and no other, and share the page’s React; building asked for nothing', async () => {
    const where = { accountId, conversationId: await world.conversation(accountId) }
    const { artifacts } = await world.answer(
      where,
      `\`\`\`jsx
import Badge from 'badge'
import { useEffect, useState } from 'react'
export default function App() {
  const [told, tell] = useState('…')
  useEffect(() => {
    const attempt = run => Promise.resolve().then(run).then(() => 'reached', () => 'blocked')
    Promise.all([
      attempt(() => import(/* elsewhere */ ['${originOf(other)}', 'x.js'].join('/'))),
      attempt(() => fetch('${originOf(cdn)}/data')),
      attempt(() => new Promise((ok, no) => { const i = new Image(); i.onload = ok; i.onerror = no; i.src = '${originOf(cdn)}/i.png' })),
    ]).then(results => tell(results.join(' ')))
  }, [])
  return <main><Badge text="badge" /><p>{told}</p></main>
}
\`\`\`
`,
    )
    const preview = await world.artifacts.preview(accountId, artifacts[0]?.id ?? '')
    expect(preview.build).toMatchObject({ ok: true, dependencies: expect.arrayContaining(['badge']) })
    expect(asked).toEqual([])
    const { page, context } = await browser.open(origin + preview.url)
    await expect.poll(() => page.getByRole('button').innerText(), { timeout: 20_000 }).toBe('badge 1')
    await page.getByRole('button').click()
    await expect.poll(() => page.getByRole('button').innerText()).toBe('badge 2')
    await expect.poll(() => page.locator('p').innerText()).toBe('blocked blocked blocked')
    expect(asked).toEqual(['/badge?external=react,react-dom'])
    expect(askedElsewhere).toEqual([])
    await context.close()
  }, 60_000)
})
