import type { Page } from 'playwright-core'
import { expect, test } from 'vitest'
import { describeJourney, openJourney, signUp } from '../support/journey.ts'

describeJourney('a person who has content written', () => {
  const journey = openJourney('journey-content', { SANDBOX_DELAY_MS: '30' })

  test('sees three types finish in two tabs, keeps one, edits it and finds it', {
    timeout: 120_000,
  }, async () => {
    const { page, context, problems } = await journey.open()
    await signUp(page)
    await page.getByRole('link', { name: 'Content', exact: true }).click()
    const other = await context.newPage()
    await other.goto(`${journey.server.url}/content`)
    for (const type of ['Product description', 'Social media caption', 'E-mail']) {
      await page.getByLabel('Type').selectOption({ label: type })
      await page.getByLabel('What is it about?').fill(`walnut desks, as ${type}`)
      await page.getByRole('button', { name: 'Write it' }).click()
      await page.getByRole('listitem', { name: `${type}: walnut desks` }).waitFor()
    }
    const states = (tab: Page) => tab.getByRole('listitem').getByRole('status')
    await other
      .getByText(/Waiting|Being written/)
      .first()
      .waitFor()
    for (const tab of [page, other]) {
      await expect
        .poll(() => states(tab).allTextContents(), { timeout: 60_000 })
        .toEqual(['Completed', 'Completed', 'Completed'])
    }
    await other
      .getByRole('listitem', { name: /^E-mail/ })
      .getByRole('button', { name: 'Save to library' })
      .click()
    await page.getByRole('link', { name: 'Open in library' }).click()
    await page.getByRole('textbox', { name: 'Title' }).fill('Desk letter')
    const text = page.getByRole('textbox', { name: 'Text (Markdown)' })
    expect(await text.inputValue()).toContain('**Subject:**')
    await text.fill('# Walnut\n\nA sentence about marquetry.')
    await page.getByRole('region', { name: 'Preview' }).getByRole('heading', { name: 'Walnut' }).waitFor()
    await page.getByRole('button', { name: 'Save', exact: true }).click()
    await page.getByText('Saved.').waitFor()
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('button', { name: 'Download Markdown' }).click(),
    ])
    expect(download.suggestedFilename()).toBe('Desk letter.md')
    await other.goto(`${journey.server.url}/library`)
    await other.getByRole('searchbox', { name: 'Search', exact: true }).fill('rquetr')
    await other.getByRole('link', { name: 'Desk letter' }).waitFor()
    await other.getByRole('searchbox', { name: 'Search', exact: true }).fill('nothing of it')
    await other.getByText('Nothing found.').waitFor()
    await other.goto(`${journey.server.url}/content`)
    await other.getByRole('listitem').first().waitFor()
    expect(problems).toEqual([])
  })
})
