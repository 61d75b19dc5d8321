import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core'
import { inject } from 'vitest'

const flags = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

/** A real headless Chromium; a page's uncaught errors end up in `problems`. */
export interface TestBrowser extends AsyncDisposable {
  browser: Browser
  /** A person's own browser: fresh cookies, one tab. */
  open(url: string): Promise<{ page: Page; context: BrowserContext; problems: string[] }>
}

export async function openBrowser(): Promise<TestBrowser> {
  const executablePath = inject('machine').chromium
  if (!executablePath) throw new Error('no Chromium on this machine')
  const browser = await chromium.launch({ executablePath, args: flags })
  return {
    browser,
    async open(url) {
      const context = await browser.newContext({ viewport: { width: 1440, height: 900 } })
      const page = await context.newPage()
      const problems: string[] = []
      page.on('pageerror', error => problems.push(error.message))
      await page.goto(url)
      return { page, context, problems }
    },
    [Symbol.asyncDispose]: () => browser.close(),
  }
}
