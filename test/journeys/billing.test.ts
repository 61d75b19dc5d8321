import { randomUUID } from 'node:crypto'
import { rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { answer, describeJourney, openJourney, signUp } from '../support/journey.ts'

async function pay(page: Page, number: string): Promise<void> {
  await page.getByLabel('Card number').fill(number)
  await page.getByLabel(/Expiry/).fill('12 / 34')
  await page.getByLabel('Security code').fill('123')
  await page.getByRole('button', { name: /^Pay/ }).click()
}

describeJourney('a person who pays, in a browser', () => {
  const journey = openJourney('billing-journey', { SIGNUP_CREDITS: '0', SANDBOX_DELAY_MS: '0' })

  test('without credits is declined once, buys some, upgrades, cancels, adds an own key, and sees each step', {
    timeout: 120_000,
  }, async () => {
    // The address that the provider's pages lead back to; cookies belong to one spelling of it.
    const site = journey.server.url.replace('127.0.0.1', 'localhost')
    const { page, problems } = await journey.browser.open(site)
    page.setDefaultTimeout(30_000)
    await signUp(page)

    const message = page.getByRole('textbox', { name: 'Message' })
    await message.fill('Write a haiku')
    await page.keyboard.press('Enter')
    await page.getByText('You have exhausted your credits').waitFor()
    await page.getByRole('link', { name: 'Get credits' }).click()
    await page.getByRole('button', { name: 'Buy 500 credits' }).click()
    await page.getByText('Never type a real card').waitFor()
    await pay(page, '4000 0000 0000 0002')
    expect(await page.getByRole('alert').textContent()).toContain('declined')
    // What was typed is still there, but for the security code.
    const typed = ['Card number', /Expiry/, 'Security code'].map(name => page.getByLabel(name).inputValue())
    expect(await Promise.all(typed)).toEqual(['4000 0000 0000 0002', '12 / 34', ''])
    await page.getByRole('link', { name: 'Back without paying' }).click()
    await page.getByText('Nothing was bought').waitFor()
    await page.getByText('Declined', { exact: true }).waitFor()

    await page.getByRole('button', { name: 'Buy 500 credits' }).click()
    await pay(page, '4242 4242 4242 4242')
    await page.getByText('Thank you').waitFor()
    await expect.poll(() => page.getByTestId('balance').textContent(), { timeout: 20_000 }).toBe('500')

    await page.getByRole('button', { name: 'Upgrade to Pro' }).click()
    await pay(page, '4242 4242 4242 4242')
    await page.getByText(/^Renews on/).waitFor()
    await expect.poll(() => page.getByTestId('balance').textContent(), { timeout: 20_000 }).toBe('1,000')
    const history = page.getByRole('list', { name: 'History of credits' })
    for (const step of ['Credits bought', 'Credits of the month']) await history.getByText(step).waitFor()
    const payments = page.getByRole('list', { name: 'Payments' }).getByRole('listitem')
    await expect.poll(() => payments.count()).toBe(3)
    await page.getByLabel('Show', { exact: true }).selectOption('purchase')
    await expect.poll(() => history.getByRole('listitem').count()).toBe(1)

    const question = page.getByRole('dialog', { name: 'Cancel the subscription?' })
    await page.getByText('Thank you').waitFor()
    await page.getByRole('button', { name: 'Cancel subscription' }).click()
    await question.getByRole('button', { name: 'Keep it' }).click()
    await question.waitFor({ state: 'hidden' })
    await page.getByText(/^Renews on/).waitFor()
    await page.getByRole('button', { name: 'Cancel subscription' }).click()
    await question.getByRole('button', { name: 'Cancel subscription' }).click()
    await page.getByText(/^Ends on/).waitFor()
    await page.getByText('Thank you').waitFor({ state: 'hidden' })
    await question.waitFor({ state: 'hidden' })
    await page.getByRole('button', { name: 'Manage payments…' }).click()
    await page.getByRole('button', { name: 'Keep the subscription' }).click()
    await page.getByRole('button', { name: 'Cancel at the end of the month' }).waitFor()
    await page.getByRole('link', { name: 'Back' }).click()
    await page.getByText(/^Renews on/).waitFor()

    await page.goto(site)
    await message.fill('Write a haiku')
    await page.keyboard.press('Enter')
    await answer(page)
      .getByText(/ credits$/)
      .waitFor()

    await page.goto(`${site}/settings/keys`)
    await page.getByRole('button', { name: 'Add a key' }).click()
    const dialog = page.getByRole('dialog')
    await dialog.getByLabel('Key', { exact: true }).fill('sk-a-key-of-nobody-9Zq')
    await dialog.getByLabel('Name').fill('Work')
    await dialog.getByRole('button', { name: 'Add key' }).click()
    await page.getByRole('listitem', { name: 'Work' }).waitFor()
    await page.goto(`${site}/settings/activity`)
    await page
      .getByText(/provider key/i)
      .first()
      .waitFor()
    expect(problems).toEqual([])
  })
})

const team = { id: 'team', name: 'Team', priceCents: 2900, dailyMessages: 5000, monthlyCredits: 2000 }
const PLANS_FILE = join(tmpdir(), `atelier-plans-${randomUUID()}.json`)

describeJourney('a person where the operator has added a plan, in a browser', () => {
  beforeAll(() => writeFile(PLANS_FILE, JSON.stringify({ plans: [team] })))
  afterAll(() => rm(PLANS_FILE))
  const journey = openJourney('plans-journey', { SIGNUP_CREDITS: '0', PLANS_FILE })

  test('sees it, takes it, and changes to another', { timeout: 120_000 }, async () => {
    const site = journey.server.url.replace('127.0.0.1', 'localhost')
    const { page, problems } = await journey.browser.open(site)
    page.setDefaultTimeout(30_000)
    await signUp(page)
    await page.goto(`${site}/settings/billing`)
    const plans = page.getByRole('listitem').filter({ hasText: 'messages a day' })
    await plans.nth(2).waitFor()
    expect(await plans.nth(2).textContent()).toMatch(/Team.*\$29\.00 a month · 5,000 messages a day/)
    await page.getByRole('button', { name: 'Upgrade to Team' }).click()
    await pay(page, '4242 4242 4242 4242')
    await page.getByText(/^Renews on/).waitFor()
    await plans.nth(2).getByText('Your plan').waitFor()
    await page.getByText(/^A month of Team, \$29\.00/).waitFor()
    await page.getByRole('button', { name: 'Change to Pro…' }).click()
    await page.getByRole('button', { name: 'Change to Pro for $9.99 a month' }).click()
    await page.getByRole('button', { name: 'Change to Team for $29.00 a month' }).waitFor()
    await page.getByRole('link', { name: 'Back' }).click()
    await plans.nth(1).getByText('Your plan').waitFor()
    await page.getByRole('button', { name: 'Change to Team…' }).waitFor()
    expect(problems).toEqual([])
  })
})
