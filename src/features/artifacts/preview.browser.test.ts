import type { FrameLocator, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { type ArtifactsWorld, openArtifacts } from '../../../test/support/artifacts.ts'
import { openBrowser, type TestBrowser } from '../../../test/support/browser.ts'

interface Message {
  source: string
  type: string
  level?: string
  args?: string[]
  message?: string
  stack?: string
}

/** A preview inside a page of our own origin, by whose side its owner is signed in. */
interface Shown {
  page: Page
  frame: FrameLocator
  messages(): Promise<Message[]>
  close(): Promise<void>
}

describe.skipIf(!inject('machine').chromium)('a preview in a browser', () => {
  let world: ArtifactsWorld
  let browser: TestBrowser
  let origin: string
  let accountId: string
  /** Requests that carried our cookie, by path; those for the preview page itself are expected. */
  const signedIn: string[] = []
  const asked: string[] = []

  beforeAll(async () => {
    world = await openArtifacts()
    accountId = await world.account()
    world.server.addHook('onRequest', async request => {
      asked.push(request.url)
      if (request.headers.cookie?.includes('accessToken')) signedIn.push(request.url)
    })
    world.server.get('/parent', { config: { auth: 'none' } }, async (request, reply) => {
      const { url, top } = request.query as { url: string; top?: string }
      if (top) return reply.redirect(url)
      return reply
        .header('set-cookie', 'accessToken=secret; Path=/; SameSite=Lax')
        .type('text/html')
        .send(
          `<!doctype html><title>parent</title><p id="mark">untouched</p><script>window.messages=[];localStorage.setItem('canary','1');addEventListener('message',e=>{if(e.source===document.querySelector('iframe').contentWindow)messages.push(e.data)})</script><iframe sandbox="allow-scripts" width="800" height="600" src="${url}"></iframe>`,
        )
    })
    world.server.get('/api/secret', { config: { auth: 'none' } }, async () => ({ secret: true }))
    origin = await world.server.listen({ host: '127.0.0.1', port: 0 })
    browser = await openBrowser()
  }, 90_000)

  afterAll(async () => {
    await browser?.[Symbol.asyncDispose]()
    await world?.[Symbol.asyncDispose]()
  })

  async function link(files: Record<string, string>): Promise<string> {
    const answer = Object.entries(files).map(
      ([path, content]) => `\`\`\`\`${path.split('.').at(-1)} title="${path}"\n${content}\n\`\`\`\`\n`,
    )
    const where = { accountId, conversationId: await world.conversation(accountId) }
    const { artifacts } = await world.answer(where, answer.join('\n'))
    return (await world.artifacts.preview(accountId, artifacts[0]?.id ?? '')).url
  }

  async function show(files: Record<string, string>): Promise<Shown> {
    const url = await link(files)
    const { page, context } = await browser.open(`${origin}/parent?url=${encodeURIComponent(url)}`)
    return {
      page,
      frame: page.frameLocator('iframe'),
      messages: () => page.evaluate(() => (globalThis as unknown as { messages: Message[] }).messages),
      close: () => context.close(),
    }
  }

  async function until(shown: Shown, matches: (message: Message) => boolean): Promise<Message> {
    await expect.poll(async () => (await shown.messages()).some(matches), { timeout: 15_000 }).toBe(true)
    const found = (await shown.messages()).find(matches)
    if (!found) throw new Error('the message has gone')
    return found
  }

  const isReady = (message: Message) => message.source === 'atelier-preview' && message.type === 'ready'

  test('a React component is shown, and a click works; libraries share one React', async () => {
    const shown = await show({
      'App.tsx': `import { useState } from 'react'
import { motion } from 'framer-motion'
import { Sun } from 'lucide-react'
import { LineChart, Line } from 'recharts'
import { create } from 'zustand'
import { BrowserRouter, Routes, Route } from 'react-router-dom'
import { useForm } from 'react-hook-form'
import { format } from 'date-fns'
const useStore = create<{ n: number }>(() => ({ n: 7 }))
function Page() {
  const [count, setCount] = useState(0)
  const form = useForm()
  const n = useStore(state => state.n)
  return <motion.main>
    <Sun aria-label="sun" />
    <button onClick={() => { setCount(count + 1); console.log('clicked', { count }) }}>count {count}, store {n}</button>
    <form onSubmit={form.handleSubmit(data => console.info('sent', data))}><input aria-label="name" {...form.register('name')} /></form>
    <time>{format(new Date(2020, 1, 2), 'yyyy')}</time>
    <LineChart width={100} height={50} data={[{ a: 1 }, { a: 2 }]}><Line dataKey="a" isAnimationActive={false} /></LineChart>
  </motion.main>
}
export default function App() {
  return <BrowserRouter><Routes><Route path="/" element={<Page />} /></Routes></BrowserRouter>
}`,
    })
    const button = shown.frame.getByRole('button')
    await expect.poll(() => button.innerText(), { timeout: 20_000 }).toBe('count 0, store 7')
    await button.click()
    await expect.poll(() => button.innerText()).toBe('count 1, store 7')
    expect((await until(shown, message => message.level === 'log')).args).toEqual(['clicked', '{count: 0}'])
    await shown.frame.getByLabel('name').fill('Ada')
    await shown.frame.getByLabel('name').press('Enter')
    expect((await until(shown, message => message.args?.[0] === 'sent')).args?.[1]).toBe('{name: "Ada"}')
    await expect.poll(() => shown.frame.locator('.recharts-line path').count()).toBeGreaterThan(0)
    expect(
      (await shown.messages()).filter(message => message.type === 'error' || message.level === 'error'),
    ).toEqual([])
    await until(shown, isReady)
    await shown.close()
  }, 60_000)

  test('nothing of the page around it, of its cookies or of the network is within reach', async () => {
    const attempts: Record<string, string> = {
      cookie: 'document.cookie',
      setCookie: 'document.cookie = "a=b"',
      localStorage: 'localStorage.getItem("canary")',
      sessionStorage: 'sessionStorage.length',
      indexedDB:
        'await new Promise((ok, no) => { const r = indexedDB.open("x"); r.onsuccess = ok; r.onerror = () => no(r.error) })',
      caches: 'await caches.open("x")',
      fetch: `await fetch("${origin}/api/secret", { credentials: "include" })`,
      noCors: `await fetch("${origin}/api/secret", { credentials: "include", mode: "no-cors" })`,
      xhr: `await new Promise((ok, no) => { const x = new XMLHttpRequest(); x.withCredentials = true; x.open("GET", "${origin}/api/secret"); x.onload = ok; x.onerror = no; x.send() })`,
      // By its standard it says yes even when the policy then stops it: the server's log is the judge.
      beacon: `navigator.sendBeacon("${origin}/api/secret?beacon", "x"); await new Promise(ok => setTimeout(ok, 300)); throw new Error("unknown")`,
      socket: `await new Promise((ok, no) => { const s = new WebSocket("${origin.replace('http', 'ws')}/api/secret"); s.onopen = ok; s.onerror = no })`,
      image: `await new Promise((ok, no) => { const i = new Image(); i.onload = ok; i.onerror = no; i.src = "${origin}/api/secret?image" })`,
      script: `await new Promise((ok, no) => { const s = document.createElement("script"); s.onload = ok; s.onerror = no; s.src = "${origin}/api/secret?script"; document.head.append(s) })`,
      importing: `const address = ["${origin}", "api", "secret?import"].join("/"); await import(address)`,
      frame: `await new Promise((ok, no) => { const f = document.createElement("iframe"); addEventListener("securitypolicyviolation", no); f.onload = () => setTimeout(ok, 1000); f.src = "${origin}/api/secret?frame"; document.body.append(f) })`,
      form: `const f = document.createElement("form"); f.action = "${origin}/api/secret?form"; f.target = "_blank"; document.body.append(f); f.submit(); await new Promise(ok => setTimeout(ok, 300)); throw new Error("nothing happened")`,
      evaluate: 'await new Function("return 1")()',
      parent: 'parent.document.title',
      parentGlobals: 'parent.localStorage',
      top: 'top.location.href',
      navigateTop: `top.location = "${origin}/api/secret?top"`,
      open: `if (!window.open("${origin}/api/secret?open")) throw new Error("refused")`,
      serviceWorker: 'await navigator.serviceWorker.register("/x.js")',
      worker: `await new Promise((ok, no) => { const w = new Worker(URL.createObjectURL(new Blob(["postMessage(1)"]))); w.onmessage = ok; w.onerror = no })`,
    }
    const bodies = Object.entries(attempts).map(
      ([name, code]) => `results.${name} = await attempt(async () => { ${code} })`,
    )
    asked.length = 0
    signedIn.length = 0
    const shown = await show({
      'a.js': `const results = {}
const attempt = run => Promise.race([run().then(() => 'reached', () => 'blocked'), new Promise(end => setTimeout(end, 3000, 'silent'))])
const run = async () => {
${bodies.join('\n')}
results.origin = self.origin
parent.postMessage({ source: 'attempts', results }, '*')
}
run()`,
    })
    await until(shown, message => message.source === 'attempts')
    const told = (await shown.messages()).find(message => message.source === 'attempts') as unknown as {
      results: Record<string, string>
    }
    const { origin: ownOrigin, ...results } = told.results
    expect(ownOrigin).toBe('null')
    expect(Object.entries(results).filter(([, result]) => result === 'reached')).toEqual([])
    expect(Object.keys(results).sort()).toEqual(Object.keys(attempts).sort())
    expect(asked.filter(url => url.startsWith('/api/secret'))).toEqual([])
    expect(signedIn.filter(url => !url.startsWith('/preview/') && !url.startsWith('/parent'))).toEqual([])
    expect(await shown.page.locator('#mark').innerText()).toBe('untouched')
    expect(await shown.page.title()).toBe('parent')
    expect(shown.page.context().pages().length).toBe(1)
    await shown.close()
  }, 90_000)

  test('opened by itself it is as harmless: the policy is in its own header', async () => {
    for (const files of [
      {
        'index.html':
          '<title>x</title><script>document.title = self.origin + "|" + (() => { try { return document.cookie + localStorage.length } catch { return "blocked" } })()</script>',
      },
      {
        'a.svg':
          '<svg xmlns="http://www.w3.org/2000/svg"><script>document.title = self.origin + "|" + (() => { try { return document.cookie } catch { return "blocked" } })()</script></svg>',
      },
    ]) {
      const url = await link(files)
      const { page, context } = await browser.open(`${origin}/parent?url=${encodeURIComponent(url)}`)
      await page.goto(origin + url)
      await expect.poll(() => page.title()).toBe('null|blocked')
      await context.close()
    }
  }, 60_000)

  test('errors while rendering, elsewhere and in promises are told; the page says what broke', async () => {
    const shown = await show({
      'App.jsx': `export default function App() {
  setTimeout(() => { throw new TypeError('from a timer') })
  Promise.reject(new Error('from a promise'))
  return <Broken />
}
function Broken() { throw new Error('from rendering') }`,
    })
    for (const text of ['from a timer', 'from a promise', 'from rendering']) {
      await until(shown, message => message.type === 'error' && (message.message ?? '').includes(text))
    }
    expect(await shown.frame.getByRole('alert').innerText()).toContain('from rendering')
    await shown.close()
  }, 60_000)

  test('any value can be logged; floods are cut short', async () => {
    const startedAt = Date.now()
    const shown = await show({
      'a.js': `const circle = { name: 'c' }; circle.self = circle
const hostile = new Proxy({}, { ownKeys() { throw new Error('no') }, getPrototypeOf() { throw new Error('no') } })
console.warn('%s is %d', 'one', 1, circle, [1, [2]], new Map([['k', 1]]), null, undefined, 3n, Symbol('s'), () => 1, new Error('e'), document.body)
console.error(hostile, { get bad() { throw new Error('no') } }, 'x'.repeat(1e6), Array.from({ length: 1e5 }, (_, i) => i))
for (let i = 0; i < 5000; i++) console.log(i)
setTimeout(() => console.info('later'), 1500)`,
    })
    const warned = await until(shown, message => message.level === 'warn')
    expect(warned.args?.slice(0, 4)).toEqual([
      'one is 1',
      '{name: "c", self: [circular]}',
      '[1, [2]]',
      'Map [["k", 1]]',
    ])
    const failed = await until(shown, message => message.level === 'error')
    expect(failed.args?.slice(0, 2)).toEqual(['[cannot be shown]', '[cannot be shown]'])
    expect(JSON.stringify(failed).length).toBeLessThan(10_000)
    await until(shown, message => message.args?.[0] === 'later')
    const messages = await shown.messages()
    // 200 at once and 50 a second: on a busy machine the loop takes seconds, in which more may pass.
    const seconds = (Date.now() - startedAt) / 1000
    expect(messages.length).toBeLessThan(200 + 2 * 50 * seconds)
    expect(messages.some(message => /messages were left out/.test(message.args?.[0] ?? ''))).toBe(true)
    await shown.close()
  }, 60_000)

  test('a page, Markdown and styles are shown; their own scripts run', async () => {
    const shown = await show({
      'index.html':
        '<!doctype html><html><head><link rel="stylesheet" href="style.css"></head><body><button onclick="count()">0</button><form onsubmit="event.preventDefault(); this.firstChild.textContent = \'sent\'"><button>send</button></form><script src="main.js"></script><script type="module">import { hello } from "./hello.js"; document.title = hello</script></body></html>',
      'style.css': 'button { color: rgb(1, 2, 3) }',
      'main.js': 'let n = 0; function count() { document.querySelector("button").textContent = ++n }',
      'hello.js': 'export const hello = "hello"',
    })
    await until(shown, isReady)
    const [first, second] = [shown.frame.getByRole('button').first(), shown.frame.getByRole('button').last()]
    await first.click()
    expect(await first.innerText()).toBe('1')
    await second.click()
    await expect.poll(() => second.innerText()).toBe('sent')
    expect(
      await first.evaluate(
        element =>
          (globalThis as unknown as { getComputedStyle(e: unknown): { color: string } }).getComputedStyle(
            element,
          ).color,
      ),
    ).toBe('rgb(1, 2, 3)')
    await shown.close()
    const markdown = await show({
      'a.md': '# Title\n\n<img src=x onerror="document.title=1">\n\n[x](javascript:alert(1))',
    })
    await until(markdown, isReady)
    expect(await markdown.frame.getByRole('heading').innerText()).toBe('Title')
    expect(await markdown.frame.locator('img').count()).toBe(0)
    expect(await markdown.frame.locator('a').getAttribute('href')).toBe('')
    await markdown.close()
  }, 60_000)

  test.each<[string, Record<string, string>]>([
    [
      'a page',
      {
        'index.html': `<!doctype html><title>x</title><p>shown</p><img src="https://pictures.example/a.png"><script>console.log('said', { n: 1 }); null.x</script>`,
      },
    ],
    [
      'a module of a page',
      {
        'index.html':
          '<!doctype html><p>shown</p><img src="https://pictures.example/a.png"><script type="module" src="a.js"></script>',
        'a.js': "console.log('said', { n: 1 })\nnull.x",
      },
    ],
    [
      'a script',
      {
        'a.ts': `const shown: string = 'shown'
document.getElementById('root')!.innerHTML = '<p>' + shown + '</p><img src="https://pictures.example/a.png">'
console.log('said', { n: 1 })
;(null as any).x`,
      },
    ],
    [
      'a drawing',
      {
        'a.svg': `<svg xmlns="http://www.w3.org/2000/svg" width="99" height="99"><text y="20"><tspan>shown</tspan></text><image href="https://pictures.example/a.png" width="9" height="9"/><script>console.log('said', { n: 1 }); null.x</script></svg>`,
      },
    ],
    [
      'a component',
      {
        'App.jsx': `import { useEffect } from 'react'
export default function App() {
  useEffect(() => { console.log('said', { n: 1 }); setTimeout(() => null.x) }, [])
  return <p>shown<img alt="" src="https://pictures.example/a.png" /></p>
}`,
      },
    ],
  ])(
    'what %s says, what it does wrong, and what it may not load are told',
    async (_, files) => {
      const shown = await show(files)
      expect(
        (await until(shown, message => message.level === 'log' && message.args?.[0] === 'said')).args?.[1],
      ).toBe('{n: 1}')
      const error = await until(shown, message => message.type === 'error')
      expect(error.message).toMatch(/^TypeError: .*null/)
      const warned = await until(shown, message => message.level === 'warn')
      expect(warned.args?.[0]).toMatch(
        /pictures\.example.* is not loaded: previews have no network \(img-src\)/,
      )
      await until(shown, isReady)
      await expect.poll(() => shown.frame.getByText('shown').first().isVisible()).toBe(true)
      await shown.close()
    },
    60_000,
  )
})
