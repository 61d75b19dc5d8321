import { readFile } from 'node:fs/promises'
import { unzipSync } from 'fflate'
import type { Download, Page } from 'playwright-core'
import { expect, test } from 'vitest'
import { checkPlugin } from '../../src/features/plugins/checks/check.ts'
import { answerWith, codeWithErrors, mendedCode } from '../plugins/answers.ts'
import { describeJourney, openJourney, signUp } from '../support/journey.ts'

describeJourney('a person who needs a plugin', () => {
  const journey = openJourney('journey-plugins', provider => ({
    OPENAI_API_KEY: 'a-key-of-nobody',
    OPENAI_BASE_URL: provider.baseUrls.openai,
    DEFAULT_MODEL: 'openai/ok',
    ALLOW_ANY_MODEL: 'true',
  }))

  async function begin(page: Page, name: string): Promise<void> {
    await page.getByRole('link', { name: 'Plugins', exact: true }).click()
    await page.getByLabel('Name of a new plugin').fill(name)
    await page.keyboard.press('Enter')
    await page.getByRole('heading', { name: `Plugin “${name}”` }).waitFor()
  }

  async function say(page: Page, text: string): Promise<void> {
    await page.getByRole('textbox', { name: 'Message' }).fill(text)
    await page.keyboard.press('Enter')
  }

  const card = (page: Page, version: string) =>
    page.getByRole('region', { name: 'History' }).getByRole('button', { name: `Version ${version}` })
  const panel = (page: Page) => page.getByRole('complementary', { name: 'Code of the plugin' })
  const codeOf = (page: Page) => panel(page).getByRole('region', { name: 'Code', exact: true })

  async function downloaded(page: Page, item: string): Promise<Download> {
    await panel(page).getByRole('button', { name: 'Download' }).click()
    const saved = page.waitForEvent('download')
    await page.getByRole('menuitem', { name: item }).click()
    return saved
  }

  test('sees a bad draft repaired, finalizes it, and gets a zip that passes the checks again', {
    timeout: 60_000,
  }, async () => {
    const { provider } = journey
    const { page, context, problems } = await journey.open()
    await signUp(page)
    await begin(page, 'Gift wrapping')
    await provider.script(
      { text: answerWith(codeWithErrors), intervalMs: 30 },
      { text: answerWith(mendedCode, 'Both are mended.') },
      { text: answerWith(mendedCode, 'This is the finished plugin.') },
    )
    await say(page, 'Let customers add gift wrapping')
    await page.getByText('Writing the plugin…').waitFor()
    await page.getByText('The checks found 2 errors; the model was asked to mend them').waitFor()
    await card(page, '2').waitFor()
    expect(await card(page, '1').innerText()).toContain('2 errors, 1 warning')
    expect(await card(page, '2').innerText()).toContain('no errors')

    // What was wrong with the first draft stands at its line, and the report leads there.
    await card(page, '1').click()
    const mark = panel(page).getByRole('button', {
      name: 'Line 31: error missing-capability, error missing-nonce',
    })
    await mark.waitFor()
    await codeOf(page).getByText('Error: A request is acted on without checking its nonce').waitFor()
    await mark.press('Enter')
    await expect.poll(() => mark.getAttribute('aria-expanded')).toBe('false')
    await panel(page).getByRole('tab', { name: 'Report' }).click()
    await panel(page).getByRole('button', { name: 'Line 31' }).first().click()
    const focused = () => page.evaluate('document.activeElement.getAttribute("data-line")')
    await expect.poll(focused).toBe('31')
    expect(await mark.getAttribute('aria-expanded')).toBe('true')

    await page.getByRole('button', { name: 'Finalize' }).click()
    await card(page, '3, final').waitFor()
    await panel(page).getByRole('heading', { name: 'Version 3 · final' }).waitFor()
    const zip = await downloaded(page, 'Zip for “Upload plugin”')
    expect(zip.suggestedFilename()).toBe('gift-wrapping.zip')
    const files = unzipSync(await readFile(await zip.path()))
    expect(Object.keys(files).sort()).toEqual(['gift-wrapping/gift-wrapping.php', 'gift-wrapping/readme.txt'])
    const main = new TextDecoder().decode(files['gift-wrapping/gift-wrapping.php'])
    expect(main).toBe(mendedCode)
    expect(checkPlugin(main)).toEqual([])
    const code = await downloaded(page, 'PHP file')
    expect(await readFile(await code.path(), 'utf8')).toBe(mendedCode)

    // Another tab, and this one after a reload, see the same.
    const other = await context.newPage()
    await other.goto(page.url())
    await card(other, '3, final').waitFor()
    await page.reload()
    await card(page, '3, final').waitFor()
    expect(problems).toEqual([])
    await context.close()
  })

  test('goes on after an answer that was stopped and one that failed; renames and deletes', {
    timeout: 60_000,
  }, async () => {
    const { provider } = journey
    const { page, context, problems } = await journey.open()
    await signUp(page)
    await begin(page, 'Delivery date')
    expect(await page.getByRole('button', { name: 'Finalize' }).getAttribute('aria-disabled')).toBe('true')
    await provider.clear()
    await provider.script({ text: answerWith(mendedCode), intervalMs: 150 })
    await say(page, 'Let customers choose a day')
    await page.getByText('Writing the plugin…').waitFor()
    // The answer goes on at the server: it is there after a reload, on a phone as well.
    await page.setViewportSize({ width: 390, height: 844 })
    await page.reload()
    await page.getByText('Writing the plugin…').waitFor()
    await page.getByRole('button', { name: 'Show the code' }).click()
    const dialog = page.getByRole('dialog', { name: 'Code of the plugin' })
    await dialog.getByText('Plugin Name: Gift Wrapping').waitFor()
    const widths = 'document.documentElement.scrollWidth <= innerWidth'
    expect(await page.evaluate(widths)).toBe(true)
    await dialog.getByRole('button', { name: 'Close the code' }).click()
    await dialog.waitFor({ state: 'hidden' })
    expect(await page.evaluate(widths)).toBe(true)
    await page.setViewportSize({ width: 1440, height: 900 })
    await page.getByRole('button', { name: 'Stop' }).click()
    await page.getByText('You stopped this answer.').waitFor()
    const failure = { status: 400, error: { message: 'unknown field' } }
    await provider.script(failure)
    await page.getByRole('button', { name: 'Ask again' }).click()
    const notices = page.getByRole('region', { name: 'History' }).getByRole('status')
    await expect.poll(() => notices.allInnerTexts(), { timeout: 10_000 }).toHaveLength(2)
    await expect.poll(() => notices.last().innerText()).toMatch(/unknown field[\s\S]*Ask again/)
    await provider.script({ text: answerWith(mendedCode) })
    await page.getByRole('button', { name: 'Ask again' }).click()
    await card(page, '1').waitFor()
    expect(await page.getByRole('article', { name: 'Your message' }).allInnerTexts()).toEqual([
      'Let customers choose a day',
      'Let customers choose a day',
      'Let customers choose a day',
    ])

    await page.getByRole('button', { name: 'Plugin “Delivery date”, actions' }).click()
    await page.getByRole('menuitem', { name: 'Rename' }).click()
    await page.getByLabel('Name', { exact: true }).fill('Delivery day')
    await page.keyboard.press('Enter')
    await page.getByRole('heading', { name: 'Plugin “Delivery day”' }).waitFor()
    await page.getByRole('button', { name: 'Plugin “Delivery day”, actions' }).click()
    await page.getByRole('menuitem', { name: 'Delete' }).click()
    await page.getByRole('button', { name: 'Delete plugin' }).click()
    await page.getByText('No plugins yet').waitFor()
    expect(problems).toEqual([])
    await context.close()
  })
})
