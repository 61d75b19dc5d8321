import type { Page } from 'playwright-core'
import { expect, test } from 'vitest'
import {
  answer,
  describeJourney,
  isDone,
  openJourney,
  type Person,
  send,
  signUp,
} from '../support/journey.ts'

async function tokenOf(url: string, person: Person): Promise<string> {
  const response = await fetch(`${url}/api/v1/sessions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(person),
  })
  const answer = (await response.json()) as { data: { accessToken: string } }
  return answer.data.accessToken
}

/** Waits until the answer begins as a text does, however far it has grown. */
async function begins(page: Page, text: string): Promise<void> {
  const beginning = (whole: string) => whole.replace(/\s+/g, ' ').slice(0, 30)
  await expect
    .poll(async () => beginning(await answer(page).innerText()), { timeout: 10_000 })
    .toBe(beginning(text))
}

/** Lets what renders Markdown come late from the next load on; gives all that the answer has shown since then. */
async function watchMarkdown(page: Page): Promise<() => Promise<string[]>> {
  await page.route(/\/assets\/markdown-[^/]+\.js$/, async route => {
    await new Promise(resolve => setTimeout(resolve, 500))
    await route.continue()
  })
  await page.addInitScript(`
    window.shown = []
    new MutationObserver(() => {
      const text = document.querySelector('article[aria-label="Answer"]')?.innerText
      if (text !== undefined) window.shown.push(text)
    }).observe(document, { subtree: true, childList: true })`)
  return () => page.evaluate('window.shown')
}

describeJourney('a newcomer in a browser', () => {
  const journey = openJourney('journey', { SANDBOX_DELAY_MS: '40' })

  test('signs up, asks for a component, sees it written and clicks it in the preview', async () => {
    const icon = await fetch(`${journey.server.url}/favicon.ico`)
    expect([icon.status, icon.headers.get('content-type')]).toEqual([200, 'image/svg+xml'])
    const { page, context, problems } = await journey.open()
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
    const { page, context } = await journey.open()
    const person = await signUp(page)
    await send(page, 'Write a long blog post about the sea and its tides')
    await expect
      .poll(async () => (await answer(page).innerText()).length, { timeout: 10_000 })
      .toBeGreaterThan(40)
    await page.reload()
    await answer(page).waitFor()
    await isDone(page)
    const token = await tokenOf(journey.server.url, person)
    const id = page.url().split('/').at(-1)
    const stored = (await (
      await fetch(`${journey.server.url}/api/v1/conversations/${id}`, {
        headers: { authorization: `Bearer ${token}` },
      })
    ).json()) as { data: { messages: { content: string; generation: { status: string } }[] } }
    expect(stored.data.messages.at(-1)?.generation.status).toBe('completed')
    const content = stored.data.messages.at(-1)?.content ?? ''
    const lastWords = content.trim().split(/\s+/).slice(-3).join(' ').replace(/[*_`]/g, '')
    await expect.poll(() => answer(page).innerText(), { timeout: 10_000 }).toContain(lastWords)
    await context.close()
  }, 90_000)

  test('stops an answer, and it stays stopped', async () => {
    const { page, context } = await journey.open()
    await signUp(page)
    await send(page, 'Write a long blog post about the sea and its tides')
    await expect
      .poll(async () => (await answer(page).innerText()).length, { timeout: 10_000 })
      .toBeGreaterThan(20)
    await page.getByRole('button', { name: 'Stop' }).click()
    await isDone(page)
    const stopped = await answer(page).innerText()
    const shown = await watchMarkdown(page)
    await page.reload()
    await begins(page, stopped)
    expect((await shown()).filter(text => /^#/m.test(text))).toEqual([])
    await context.close()
  }, 60_000)

  test('finds the question and what had arrived after the server was killed in the middle', async () => {
    const { page, context } = await journey.open()
    await signUp(page)
    await send(page, 'Write a long blog post about the moon')
    await expect
      .poll(async () => (await answer(page).innerText()).length, { timeout: 10_000 })
      .toBeGreaterThan(60)
    await new Promise(resolve => setTimeout(resolve, 1500))
    const address = page.url()
    const seen = await answer(page).innerText()
    await journey.server.kill('SIGKILL')
    await journey.restart()
    await page.goto(address)
    await expect
      .poll(() => page.getByRole('article', { name: 'Your message' }).innerText())
      .toContain('about the moon')
    await begins(page, seen)
    await isDone(page)
    await context.close()
  }, 90_000)
})

describeJourney.each(['gemini', 'openrouter'] as const)('the same with %s', name => {
  const component =
    'Here is it.\n\n```tsx\nimport { useState } from "react"\n\nexport default function Counter() {\n  const [count, setCount] = useState(0)\n  return <button onClick={() => setCount(count + 1)}>Clicked {count}</button>\n}\n```\n\nDone.'
  const prefix = name.toUpperCase()
  const journey = openJourney(name, provider => ({
    [`${prefix}_API_KEY`]: 'test-key-of-nobody',
    [`${prefix}_BASE_URL`]: provider.baseUrls[name],
  }))

  test('asks for a component and clicks it', async () => {
    const { page, context } = await journey.open()
    await signUp(page)
    await journey.provider.script({ text: component, intervalMs: 10 })
    await send(page, 'Create a React button component')
    const preview = page.frameLocator('iframe[title*="Preview"]')
    const button = preview.getByRole('button', { name: 'Clicked 0' })
    await button.waitFor({ timeout: 20_000 })
    await button.click()
    await preview.getByRole('button', { name: 'Clicked 1' }).waitFor()
    await context.close()
  }, 60_000)
})
