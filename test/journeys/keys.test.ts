import type { Page } from 'playwright-core'
import { expect, test } from 'vitest'
import { keyFingerprint } from '../provider/index.ts'
import { describeJourney, isDone, openJourney, send, signUp } from '../support/journey.ts'

const secret = 'sk-journey-4Hk9sTq2-mnop'

describeJourney('a person with a key of their own', () => {
  const journey = openJourney('journey-keys', provider => ({
    OPENAI_BASE_URL: provider.baseUrls.openai,
    DEFAULT_MODEL: 'openai/ok',
    ALLOW_ANY_MODEL: 'true',
  }))

  const goTo = (page: Page, path: string) => page.goto(`${journey.server.url}${path}`)

  test('adds it, tests it, asks with it, sees its use, replaces it and removes it', async () => {
    const { provider } = journey
    const { page, context, problems } = await journey.open()
    await signUp(page)
    await goTo(page, '/settings/keys')
    await page.getByText('No keys yet').waitFor()
    await page.getByRole('button', { name: 'Add a key' }).click()
    const dialog = page.getByRole('dialog')
    await dialog.getByRole('button', { name: 'Add key' }).click()
    await dialog.getByText('Enter the key.').waitFor()
    await dialog.getByLabel('Key', { exact: true }).fill(secret)
    await dialog.getByLabel('Name').fill('Work')
    await dialog.getByRole('button', { name: 'Add key' }).click()
    const card = page.getByRole('listitem', { name: 'Work' })
    await card.getByText('••••mnop').waitFor()
    await dialog.waitFor({ state: 'hidden' })
    expect((await page.content()).includes(secret)).toBe(false)

    await provider.script('key-refused')
    await page.getByRole('button', { name: 'Test Work' }).click()
    await card.getByText('The provider refuses this key.').waitFor()
    await page.getByRole('button', { name: 'Test Work' }).click()
    await card.getByText('The provider accepts this key.').waitFor()
    await card.getByText('not used for an answer yet').waitFor()

    await goTo(page, '/')
    await page.getByRole('button', { name: /^Model:/ }).click()
    await page.getByText('your own key').first().waitFor()
    await page.keyboard.press('Escape')
    await send(page, 'hello')
    await expect
      .poll(async () => (await provider.requests()).at(-1)?.prompt, { timeout: 15_000 })
      .toContain('hello')
    expect((await provider.requests()).at(-1)?.auth?.fingerprint).toBe(keyFingerprint(secret))
    await isDone(page)

    await goTo(page, '/settings/keys')
    await card.getByText('Calls').waitFor()
    expect(await card.getByLabel('Usage in the last 30 days').innerText()).toMatch(/Calls\s+1/)
    await page.getByRole('button', { name: 'Replace Work' }).click()
    await dialog.getByLabel('New key').fill(`${secret}-2222`)
    await dialog.getByRole('button', { name: 'Replace key' }).click()
    await card.getByText('••••2222').waitFor()
    await dialog.waitFor({ state: 'hidden' })
    await card.getByLabel('Work is active').click()
    await expect.poll(() => card.getByLabel('Work is active').isChecked(), { timeout: 15_000 }).toBe(false)

    await page.getByRole('button', { name: 'Remove Work' }).click()
    await page.getByRole('button', { name: 'Remove key' }).click()
    await page.getByText('No keys yet').waitFor()
    await goTo(page, '/settings/activity')
    for (const event of ['Provider key added', 'Provider key changed', 'Provider key removed'])
      await page.getByText(event).first().waitFor()
    expect(problems).toEqual([])
    await context.close()
  }, 90_000)
})
