import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { type ScriptedProvider, startProvider } from '../provider/index.ts'
import { openBrowser, type TestBrowser } from '../support/browser.ts'
import { makeTestFolder, removeTestFolder } from '../support/folder.ts'
import { type ServerProcess, startProcess } from '../support/process.ts'

const password = 'correct horse battery'
let count = 0

async function signUp(page: Page): Promise<string> {
  const email = `journey-${++count}-${Date.now()}@example.com`
  await page
    .getByRole('link', { name: /sign up|create an account/i })
    .first()
    .click()
  await page.getByLabel('E-mail').fill(email)
  await page.getByLabel('Password', { exact: true }).fill(password)
  await page.getByRole('button', { name: /sign up|create account/i }).click()
  await page.getByRole('textbox', { name: 'Message' }).waitFor()
  return email
}

async function send(page: Page, text: string): Promise<void> {
  await page.getByRole('textbox', { name: 'Message' }).fill(text)
  await page.getByRole('button', { name: 'Send' }).click()
}

async function tokenOf(url: string, email: string): Promise<string> {
  const response = await fetch(`${url}/api/v1/sessions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ email, password }),
  })
  const answer = (await response.json()) as { data: { accessToken: string } }
  return answer.data.accessToken
}

/** The words of an answer, however they are laid out: Markdown that is still loading is shown as it is written. */
const beginning = (text: string) => text.replace(/[\s#*_`]+/g, '').slice(0, 30)

const answer = (page: Page) => page.getByRole('article', { name: 'Answer' }).last()
const isDone = (page: Page) =>
  expect.poll(() => answer(page).getAttribute('aria-busy'), { timeout: 30_000 }).not.toBe('true')

describe.skipIf(!inject('machine').chromium)('a newcomer in a browser', () => {
  let browser: TestBrowser
  let folder: string
  let server: ServerProcess

  beforeAll(async () => {
    folder = await makeTestFolder('journey')
    browser = await openBrowser()
    server = await startProcess({ dataDir: folder, env: { SANDBOX_DELAY_MS: '15' } })
  }, 90_000)
  afterAll(async () => {
    await browser?.[Symbol.asyncDispose]()
    await server?.[Symbol.asyncDispose]()
    await removeTestFolder(folder)
  })

  test('signs up, asks for a component, sees it written and clicks it in the preview', async () => {
    const { page, context, problems } = await browser.open(server.url)
    await signUp(page)
    await send(page, 'Create a React button component')
    await expect
      .poll(async () => (await answer(page).innerText()).length, { timeout: 10_000 })
      .toBeGreaterThan(5)
    const early = await answer(page).innerText()
    await isDone(page)
    expect((await answer(page).innerText()).length).toBeGreaterThan(early.length)
    const preview = page.frameLocator('iframe[title*="Preview"]')
    const button = preview.getByRole('button').first()
    await button.waitFor({ timeout: 20_000 })
    const before = await preview.locator('body').innerText()
    await button.click()
    await expect.poll(() => preview.locator('body').innerText()).not.toBe(before)
    expect(problems).toEqual([])
    await context.close()
  }, 90_000)

  test('reloads in the middle of an answer and sees the rest', async () => {
    const { page, context } = await browser.open(server.url)
    const email = await signUp(page)
    await send(page, 'Write a long blog post about the sea and its tides')
    await expect
      .poll(async () => (await answer(page).innerText()).length, { timeout: 10_000 })
      .toBeGreaterThan(40)
    await page.reload()
    await answer(page).waitFor()
    await isDone(page)
    const token = await tokenOf(server.url, email)
    const id = page.url().split('/').at(-1)
    const stored = (await (
      await fetch(`${server.url}/api/v1/conversations/${id}`, {
        headers: { authorization: `Bearer ${token}` },
      })
    ).json()) as { data: { messages: { content: string; generation: { status: string } }[] } }
    expect(stored.data.messages.at(-1)?.generation.status).toBe('completed')
    const content = stored.data.messages.at(-1)?.content ?? ''
    const lastWords = content.trim().split(/\s+/).slice(-3).join(' ').replace(/[*_`]/g, '')
    expect(await answer(page).innerText()).toContain(lastWords)
    await context.close()
  }, 90_000)

  test('stops an answer, and it stays stopped', async () => {
    const { page, context } = await browser.open(server.url)
    await signUp(page)
    await send(page, 'Write a long blog post about the sea and its tides')
    await expect
      .poll(async () => (await answer(page).innerText()).length, { timeout: 10_000 })
      .toBeGreaterThan(20)
    await page.getByRole('button', { name: 'Stop' }).click()
    await isDone(page)
    const stopped = await answer(page).innerText()
    await page.reload()
    await answer(page).waitFor()
    expect(beginning(await answer(page).innerText())).toBe(beginning(stopped))
    await context.close()
  }, 60_000)

  test('finds the question and what had arrived after the server was killed in the middle', async () => {
    const { page, context } = await browser.open(server.url)
    await signUp(page)
    await send(page, 'Write a long blog post about the moon')
    await expect
      .poll(async () => (await answer(page).innerText()).length, { timeout: 10_000 })
      .toBeGreaterThan(60)
    await new Promise(resolve => setTimeout(resolve, 1500))
    const address = page.url()
    const seen = await answer(page).innerText()
    await server.kill('SIGKILL')
    server = await startProcess({
      dataDir: folder,
      port: Number(new URL(server.url).port),
      env: { SANDBOX_DELAY_MS: '15' },
    })
    await page.goto(address)
    await expect
      .poll(() => page.getByRole('article', { name: 'Your message' }).innerText())
      .toContain('about the moon')
    await answer(page).waitFor()
    expect(beginning(await answer(page).innerText())).toBe(beginning(seen))
    await isDone(page)
    await context.close()
  }, 90_000)
})

describe.skipIf(!inject('machine').chromium)('the same with a provider', () => {
  let browser: TestBrowser
  let provider: ScriptedProvider

  beforeAll(async () => {
    browser = await openBrowser()
    provider = await startProvider()
  })
  afterAll(async () => {
    await browser?.[Symbol.asyncDispose]()
    await provider?.close()
  })

  const component =
    'Here is it.\n\n```tsx\nimport { useState } from "react"\n\nexport default function Counter() {\n  const [count, setCount] = useState(0)\n  return <button onClick={() => setCount(count + 1)}>Clicked {count}</button>\n}\n```\n\nDone.'

  test.each(['gemini', 'openrouter'] as const)(
    '%s',
    async name => {
      const folder = await makeTestFolder(name)
      const prefix = name.toUpperCase()
      {
        await using server = await startProcess({
          dataDir: folder,
          env: {
            [`${prefix}_API_KEY`]: 'test-key-of-nobody',
            [`${prefix}_BASE_URL`]: provider.baseUrls[name],
          },
        })
        const { page, context } = await browser.open(server.url)
        await signUp(page)
        await provider.script({ text: component, intervalMs: 10 })
        await send(page, 'Create a React button component')
        const button = page
          .frameLocator('iframe[title*="Preview"]')
          .getByRole('button', { name: 'Clicked 0' })
        await button.waitFor({ timeout: 20_000 })
        await button.click()
        await page
          .frameLocator('iframe[title*="Preview"]')
          .getByRole('button', { name: 'Clicked 1' })
          .waitFor()
        await context.close()
      }
      await removeTestFolder(folder)
    },
    60_000,
  )
})
