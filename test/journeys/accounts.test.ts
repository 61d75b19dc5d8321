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
