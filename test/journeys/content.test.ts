import type { Page } from 'playwright-core'
import { expect, test } from 'vitest'
import { describeJourney, openJourney, signUp } from '../support/journey.ts'
import { openIo } from '../support/sockets.ts'

describeJourney('a person who has content written', () => {
  const journey = openJourney('journey-content', { SANDBOX_DELAY_MS: '100' })

  /** The jobs whose ends a tab is told on its socket. */
  function hearEnds(page: Page): string[] {
    const ids: string[] = []
    page.on('websocket', socket =>
      socket.on('framereceived', ({ payload }) => {
        const text = String(payload)
        if (!text.startsWith('42["job_completed"')) return
        const [, notice] = JSON.parse(text.slice(2)) as [string, { jobId: string }]
        ids.push(notice.jobId)
      }),
    )
    return ids
  }

  /** Asks the API from elsewhere, as another device would. */
  async function call(path: string, body: object, token?: string) {
    const headers = {
      'content-type': 'application/json',
      ...(token ? { authorization: `Bearer ${token}` } : {}),
    }
    const answer = await fetch(`${journey.server.url}/api/v1${path}`, {
      method: 'POST',
      headers,
      body: JSON.stringify(body),
    })
    expect(answer.ok).toBe(true)
    // biome-ignore lint/suspicious/noExplicitAny: the answer's shape is not this test's matter
    return ((await answer.json()) as any).data
  }

  test('sees three types finish in two tabs, keeps one, edits it and finds it', {
    timeout: 120_000,
  }, async () => {
    const { page, context, problems } = await journey.open()
    const person = await signUp(page)
    const other = await context.newPage()
    const ends = [page, other].map(hearEnds)
    await page.getByRole('link', { name: 'Content', exact: true }).click()
    // What is written while a wish is on its way stays, and a wish that is refused comes back before it.
    const about = page.getByLabel('What is it about?')
    const refusal = Promise.withResolvers<void>()
    await page.route('**/content/jobs', async route => {
      if (route.request().method() !== 'POST') return route.fallback()
      await refusal.promise
      await route.fulfill({ status: 503, json: {} })
    })
    await about.fill('a stool')
    await page.getByRole('button', { name: 'Write it' }).click()
    await expect.poll(() => about.inputValue()).toBe('')
    await about.fill('a bench')
    refusal.resolve()
    await expect.poll(() => about.inputValue()).toBe('a stool\n\na bench')
    await page.unroute('**/content/jobs')
    await other.goto(`${journey.server.url}/content`)
    for (const type of ['Product description', 'Social media caption', 'E-mail']) {
      await page.getByLabel('Type').selectOption({ label: type })
      await about.fill(`walnut desks, as ${type}`)
      await page.getByRole('button', { name: 'Write it' }).click()
      await page.getByRole('listitem', { name: `${type}: walnut desks` }).waitFor()
    }
    const states = (tab: Page) => tab.getByRole('listitem').getByRole('status')
    // While a job is being written its text is there, and grows, in both.
    const grows = async (tab: Page) => {
      const running = tab.getByRole('listitem').filter({ has: tab.getByText('Being written') })
      const length = async () => (await running.first().textContent())?.length ?? 0
      await expect.poll(() => running.first().locator('p').count(), { timeout: 30_000 }).toBeGreaterThan(2)
      const before = await length()
      await expect.poll(length, { timeout: 30_000 }).toBeGreaterThan(before)
    }
    await Promise.all([grows(page), grows(other)])
    for (const tab of [page, other]) {
      await expect
        .poll(() => states(tab).allTextContents(), { timeout: 60_000 })
        .toEqual(['Completed', 'Completed', 'Completed'])
    }
    for (const told of ends) await expect.poll(() => [told.length, new Set(told).size]).toEqual([3, 3])
    await context.setOffline(true)
    await page.getByText('You are offline.').waitFor()
    const { accessToken } = await call('/sessions', person)
    const elsewhere = await openIo(journey.server.url, { auth: { token: accessToken } })
    const { job } = await call('/content/jobs', { prompt: 'a chair', contentType: 'ad copy' }, accessToken)
    await elsewhere.hear('job_completed', notice => notice.jobId === job.id)
    elsewhere.close()
    expect(await page.getByRole('listitem', { name: 'Ad copy: a chair' }).count()).toBe(0)
    await context.setOffline(false)
    for (const tab of [page, other])
      await tab.getByRole('listitem', { name: 'Ad copy: a chair' }).getByText('Completed').waitFor()
    for (const told of ends) await expect.poll(() => told, { timeout: 30_000 }).toContain(job.id)
    await other
      .getByRole('listitem', { name: /^E-mail/ })
      .getByRole('button', { name: 'Save to library' })
      .click()
    await page.getByRole('link', { name: 'Open in library' }).click()
    await expect
      .poll(() => page.getByRole('textbox', { name: 'Title' }).inputValue())
      .toBe('walnut desks, as E-mail')
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
    const entry = other.getByRole('list', { name: 'Entries' }).getByRole('listitem')
    await expect
      .poll(() => entry.innerText())
      .toMatch(/^Desk letter\s+E-mail · .+\s+Walnut A sentence about marquetry\.$/)
    await other.getByRole('searchbox', { name: 'Search', exact: true }).fill('nothing of it')
    await other.getByText('Nothing found.').waitFor()
    await other.goto(`${journey.server.url}/content`)
    await other.getByRole('listitem').first().waitFor()
    expect(problems).toEqual([])
  })
})
