import type { Page } from 'playwright-core'
import { expect, test } from 'vitest'
import { describeJourney, isInside, openJourney, type Person, signUp } from '../support/journey.ts'

const address = (page: Page) => page.getByLabel('E-mail or mobile number')
const click = (page: Page, name: string) => page.getByRole('button', { name, exact: true }).click()

describeJourney('an account in a browser', () => {
  const journey = openJourney('accounts', { SIGNUP_VERIFICATION: 'required', LOG_LEVEL: 'info' })

  /** The newest code that was sent to an address: without a mail server letters are printed in the log. */
  async function codeFor(email: string, deed: string): Promise<string> {
    const pattern = new RegExp(
      `mail to ${email}: (\\d{6}) is your Atelier code(?:(?!mail to).)*?${deed}`,
      'gs',
    )
    let code: string | undefined
    await expect
      .poll(
        () => {
          code = [...journey.server.output().matchAll(pattern)].at(-1)?.[1]
          return code
        },
        { timeout: 15_000 },
      )
      .toMatch(/^\d{6}$/)
    return code ?? ''
  }

  const join = (page: Page, person: Person) =>
    signUp(page, { ...person, code: email => codeFor(email, 'finish your sign-up') })

  async function logIn(page: Page, email: string, password: string): Promise<void> {
    await address(page).fill(email)
    await page.getByLabel('Password', { exact: true }).fill(password)
    await click(page, 'Log in')
  }

  test('signs up with a code, resets its password, and is signed out everywhere by that', async () => {
    const email = `reset-${Date.now()}@example.com`
    const laptop = await journey.open()
    await join(laptop.page, { email, password: 'my first sentence' })
    const phone = await journey.open()
    await logIn(phone.page, email, 'my first sentence')
    await isInside(phone.page)

    const kiosk = await journey.open('/forgot-password')
    await address(kiosk.page).fill(email)
    await click(kiosk.page, 'Send a code')
    await kiosk.page.getByLabel('Code').fill(await codeFor(email, 'set a new password'))
    await kiosk.page.getByLabel('New password', { exact: true }).fill('my second sentence')
    await click(kiosk.page, 'Set password')
    await kiosk.page.getByRole('button', { name: 'Log in', exact: true }).waitFor()

    for (const device of [laptop, phone]) {
      await device.page.reload()
      await device.page.getByRole('button', { name: 'Log in', exact: true }).waitFor({ timeout: 10_000 })
    }
    await logIn(phone.page, email, 'my first sentence')
    await phone.page
      .getByText(/Invalid email or password|not right|wrong/i)
      .first()
      .waitFor()
    await logIn(phone.page, email, 'my second sentence')
    await isInside(phone.page)
    for (const { context } of [laptop, phone, kiosk]) await context.close()
  }, 90_000)

  test('sees its devices, signs the others out, and finds both in its activity', async () => {
    const email = `devices-${Date.now()}@example.com`
    const laptop = await journey.open()
    await join(laptop.page, { email, password: 'a quiet sentence' })
    const phone = await journey.open()
    await logIn(phone.page, email, 'a quiet sentence')
    await isInside(phone.page)
    await laptop.page.goto(`${journey.server.url}/settings/security`)
    await laptop.page.getByRole('button', { name: 'Sign out all other devices' }).click()
    await laptop.page.getByText('All other devices are signed out.').first().waitFor()
    await phone.page.reload()
    await phone.page.getByRole('button', { name: 'Log in', exact: true }).waitFor({ timeout: 10_000 })
    await laptop.page.goto(`${journey.server.url}/settings/activity`)
    await laptop.page
      .getByText(/signed in|sign-in/i)
      .first()
      .waitFor()
    for (const { context } of [laptop, phone]) await context.close()
  }, 90_000)
})

describeJourney('an account whose address need not be proven', () => {
  const journey = openJourney('unproven', { SIGNUP_VERIFICATION: 'optional', LOG_LEVEL: 'info' })

  async function codeFor(to: string): Promise<string> {
    const sent = () =>
      journey.server.output().match(new RegExp(`${to.replace('+', '.')}: [^\\d]*(\\d{6}) is your`))
    await expect.poll(() => sent()?.[1], { timeout: 15_000 }).toMatch(/^\d{6}$/)
    return sent()?.[1] ?? ''
  }

  test('is named, verifies its address, adds a mobile number, and deletes itself', async () => {
    const { page, context, problems } = await journey.open()
    const { email, password } = await signUp(page)
    await page.goto(`${journey.server.url}/settings`)
    await page.getByLabel('Name', { exact: true }).fill('Ada King')
    await page.getByLabel('Username').fill('ada')
    await click(page, 'Save')
    await page.getByText('Your profile is saved.').first().waitFor()

    await click(page, 'Verify E-mail address')
    await click(page, 'Send a code there')
    await page.getByLabel('Code').fill(await codeFor(email))
    await page.getByLabel('Current password').fill(password)
    await click(page, 'Verify address')
    await page.getByText('Your address is verified.').first().waitFor()
    await page.getByRole('button', { name: 'Verify E-mail address' }).waitFor({ state: 'detached' })

    const mobile = '+14155550123'
    await click(page, 'Add Mobile number')
    await page.getByLabel('New mobile number').fill('+1 (415) 555-0123')
    await click(page, 'Send a code there')
    await page.getByLabel('Code').fill(await codeFor(mobile))
    await page.getByLabel('Current password').fill(password)
    await click(page, 'Change address')
    await page.getByText(mobile, { exact: true }).waitFor()

    await page.reload()
    await expect.poll(() => page.getByLabel('Name', { exact: true }).inputValue()).toBe('Ada King')
    await page.goto(`${journey.server.url}/settings/activity`)
    for (const line of ['E-mail address verified', 'Mobile number changed', 'Account created'])
      await page.getByText(line).first().waitFor()

    await page.goto(`${journey.server.url}/settings/security`)
    await page.getByRole('button', { name: /^Delete/ }).click()
    await page.getByLabel('Your password').fill(password)
    await click(page, 'Delete for good')
    await page.getByRole('button', { name: 'Log in', exact: true }).waitFor()
    await address(page).fill(email)
    await page.getByLabel('Password', { exact: true }).fill(password)
    await click(page, 'Log in')
    await page.getByText('Invalid email or password').first().waitFor()
    expect(problems).toEqual([])
    await context.close()
  }, 90_000)
})
