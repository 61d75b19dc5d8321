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

/** The words of an answer, however they are laid out: Markdown that is still loading is shown as it is written. */
const beginning = (text: string) => text.replace(/[\s#*_`]+/g, '').slice(0, 30)

describeJourney('a newcomer in a browser', () => {
  const journey = openJourney('journey', { SANDBOX_DELAY_MS: '15' })

  test('signs up, asks for a component, sees it written and clicks it in the preview', async () => {
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
    expect(await answer(page).innerText()).toContain(lastWords)
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
    await page.reload()
    await answer(page).waitFor()
    expect(beginning(await answer(page).innerText())).toBe(beginning(stopped))
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
    await answer(page).waitFor()
    expect(beginning(await answer(page).innerText())).toBe(beginning(seen))
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
