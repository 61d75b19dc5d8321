import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { unzipSync } from 'fflate'
import type { Download, Page } from 'playwright-core'
import { expect, test } from 'vitest'
import { makeTestFolder, removeTestFolder } from '../support/folder.ts'
import { describeJourney, isDone, openJourney, send, signUp } from '../support/journey.ts'
import { component, pageSource, pieces, project, page as tidePage } from './artifact-answers.ts'

const root = join(import.meta.dirname, '..', '..')
const panel = (page: Page) => page.getByRole('complementary', { name: 'Artifact' })
const preview = (page: Page) => page.frameLocator('iframe[title="Preview"]')
const previewButton = (page: Page, name: string) => preview(page).getByRole('button', { name, exact: true })
const click = (page: Page, name: string | RegExp) => panel(page).getByRole('button', { name }).click()
const tab = (page: Page, name: string | RegExp) => panel(page).getByRole('tab', { name })

/** What the browser saves after something was done. */
async function saved(page: Page, act: () => Promise<void>): Promise<{ name: string; bytes: Buffer }> {
  const [download] = await Promise.all([page.waitForEvent('download'), act()])
  return { name: download.suggestedFilename(), bytes: await bytesOf(download) }
}

async function bytesOf(download: Download): Promise<Buffer> {
  return readFile(await download.path())
}

async function choose(page: Page, button: string, item: string | RegExp): Promise<void> {
  await page.getByRole('button', { name: button, exact: true }).click()
  await page.getByRole('menuitem', { name: item }).click()
}

/** Runs npm in a folder; nothing is fetched. */
async function npm(folder: string, ...words: string[]): Promise<void> {
  const child = spawn('npm', [...words, '--offline'], {
    cwd: folder,
    env: { PATH: process.env.PATH ?? '', HOME: folder },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let said = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', chunk => (said += chunk))
  const [code] = await once(child, 'close')
  expect(code, said).toBe(0)
}

/** Unpacks a project, runs its own build with the packages that are installed here, and gives what it made as one text. */
async function builtWithItsOwnScripts(zip: Buffer): Promise<string> {
  const folder = await makeTestFolder('exported')
  try {
    for (const [path, bytes] of Object.entries(unzipSync(zip))) {
      await mkdir(dirname(join(folder, path)), { recursive: true })
      await writeFile(join(folder, path), bytes)
    }
    await symlink(join(root, 'node_modules'), join(folder, 'node_modules'))
    await npm(folder, 'run', 'build')
    const made = await readdir(join(folder, 'dist'), { recursive: true })
    const texts = made.filter(path => /\.(?:js|css|html)$/.test(path))
    return (await Promise.all(texts.map(path => readFile(join(folder, 'dist', path), 'utf8')))).join('\n')
  } finally {
    await removeTestFolder(folder)
  }
}

describeJourney('what a model makes, in a browser', () => {
  const journey = openJourney('journey-artifacts', provider => ({
    OPENAI_API_KEY: 'test-key-of-nobody',
    OPENAI_BASE_URL: provider.baseUrls.openai,
    BASIC_DAILY_MESSAGE_LIMIT: '5',
  }))

  /** The words that the model was given last. */
  const lastPrompt = async () => (await journey.provider.requests()).at(-1)?.prompt ?? ''

  test('a component breaks twice, is fixed twice, and every version stays', async () => {
    const { provider } = journey
    const { page, context, problems } = await journey.open()
    await signUp(page)
    await provider.script({ text: component.good, intervalMs: 2 })
    await send(page, 'Make a counter')
    await previewButton(page, 'Clicked 0').click()
    await previewButton(page, 'Clicked 1').waitFor()
    await tab(page, 'Build').click()
    await panel(page).getByText('Built', { exact: true }).waitFor()
    expect(await panel(page).getByRole('definition').allTextContents()).toEqual([
      expect.stringMatching(/^\d+ K?B, libraries not counted$/),
      expect.stringMatching(/ ms$/),
      'react, react-dom',
    ])
    await isDone(page)

    await provider.script({ text: component.unbuildable, intervalMs: 2 })
    await send(page, 'Make it blue')
    await panel(page).getByText('The build failed with 1 error').waitFor()
    await isDone(page)
    await click(page, /^Counter\.tsx:5:\d+$/)
    const marked = panel(page).locator('[data-tone]')
    expect(await marked.innerText()).toContain('setCount(count + 1>Blue')
    await tab(page, /^Build/).click()
    await provider.script({ text: component.rebuilt, intervalMs: 2 })
    await click(page, 'Fix this')
    await panel(page).getByText('Built', { exact: true }).waitFor()
    expect(await lastPrompt()).toMatch(/“Counter” does not build[\s\S]+Counter\.tsx:5:\d+: /)
    const asked = page.getByRole('article', { name: 'Your message' }).last()
    await asked.getByRole('figure', { name: /^Code in text/ }).waitFor()
    const said = await asked.innerText()
    expect(said).toMatch(/^“Counter” does not build:[\s\S]+Counter\.tsx:5:\d+: [\s\S]+corrected code\.$/)
    expect(said).not.toContain('```')
    await tab(page, 'Preview').click()
    await previewButton(page, 'Blue 0').waitFor()
    await isDone(page)

    await provider.script({ text: component.failing, intervalMs: 2 })
    await send(page, 'Let it greet')
    await previewButton(page, 'Greet 0').click()
    await panel(page).getByRole('button', { name: 'Console 1 error' }).waitFor()
    await isDone(page)
    await provider.script({ text: component.mended, intervalMs: 2 })
    await click(page, 'Fix this')
    await previewButton(page, 'Greeted 0').waitFor()
    expect(await lastPrompt()).toMatch(/“Counter” reports errors in its preview[\s\S]+TypeError: /)
    await isDone(page)

    await click(page, /^Version 5 of 5/)
    const versions = page.getByRole('menuitem', { name: /^Version \d/ })
    await expect.poll(() => versions.count(), { timeout: 10_000 }).toBe(5)
    const words = (await versions.allInnerTexts()).map(text => text.replaceAll(/\s+/g, ' '))
    expect(words[0]).toMatch(/^Version 5 ?newest/)
    expect(words[4]).toMatch(/^Version 1 .+ · (?:just now|\d+ \w+ ago|1 minute ago) “Make a counter”$/)
    await versions.last().click()
    await previewButton(page, 'Clicked 0').waitFor()

    await click(page, /^Version 1 of 5/)
    await page.getByRole('menuitem', { name: /^Version 2/ }).click()
    await panel(page).getByText('This does not build yet').waitFor()
    await click(page, 'Fix this')
    // Five messages were today's.
    const refusal = panel(page).getByRole('alert').filter({ hasText: /limit/i })
    await refusal.getByRole('link', { name: 'See plans' }).waitFor()
    await click(page, 'Show newest')
    await previewButton(page, 'Greeted 0').waitFor()
    // The one that was scripted to happen in the preview, and none of the console's own.
    expect(problems).toEqual(["Cannot read properties of null (reading 'length')"])
    await context.close()
  }, 60_000)

  test('a page, a project and merged blocks are made and downloaded; the project builds with its own npm scripts', async () => {
    const { provider } = journey
    const { page, context, problems } = await journey.open()
    await signUp(page)
    await provider.script({ text: tidePage, intervalMs: 2 })
    await send(page, 'A page of tides')
    await previewButton(page, 'Low').click()
    await previewButton(page, 'High').waitFor()
    await isDone(page)
    const file = await saved(page, () => choose(page, 'Download', 'Download file'))
    expect(file.name).toBe('index.html')
    expect(file.bytes.toString().trim()).toBe(pageSource)

    await provider.script({ text: project, intervalMs: 2 })
    await send(page, 'A project about books')
    await previewButton(page, 'Add a book').click()
    await preview(page).getByText('Emma').waitFor()
    await isDone(page)
    await tab(page, 'Code').click()
    await click(page, 'Shelf.tsx')
    const part = await saved(page, () => click(page, 'Download Shelf.tsx'))
    expect(part.bytes.toString()).toContain('export function Shelf')
    const zip = await saved(page, () => choose(page, 'Download', /^Export as project/))
    expect(zip.name).toMatch(/\.zip$/)
    const build = builtWithItsOwnScripts(zip.bytes)

    await provider.script({ text: pieces, intervalMs: 2 })
    await send(page, 'A lamp')
    await panel(page).getByText('Put together from 3 blocks').waitFor()
    await tab(page, 'Preview').click()
    await previewButton(page, 'Off').click()
    await previewButton(page, 'On').waitFor()
    await isDone(page)
    await choose(page, 'Show a block', /CSS$/)
    await panel(page).getByText('It is part of “Lamp”').waitFor()
    await click(page, 'Show the whole')
    await previewButton(page, 'Off').waitFor()
    expect(await page.getByRole('list', { name: 'Made in this answer' }).last().innerText()).toMatch(
      /^Lamp\s+HTML · version 2\s+Close$/,
    )

    await click(page, 'All artifacts of this chat')
    const list = panel(page).getByRole('list', { name: 'Artifacts' })
    expect(await list.getByRole('listitem').count()).toBe(3)
    await list.getByRole('button', { name: /Tide table.*1 version/ }).press('Enter')
    await previewButton(page, 'Low').waitFor()
    const markdown = await saved(page, () =>
      choose(page, 'Chat “A page of tides”, actions', 'Export as Markdown'),
    )
    expect(markdown.name).toBe('A page of tides.md')
    expect(markdown.bytes.toString()).toContain('A project about books')
    const json = await saved(page, () => choose(page, 'Chat “A page of tides”, actions', 'Export as JSON'))
    const whole = JSON.parse(json.bytes.toString()) as { messages: { artifacts: { title: string }[] }[] }
    expect(whole.messages).toHaveLength(6)
    expect(whole.messages[1]?.artifacts[0]?.title).toBe('Tide table')

    const built = await build
    const expected = ['Middlemarch', 'Add a book', '.library{']
    expect(expected.filter(part => built.includes(part))).toEqual(expected)
    expect(problems).toEqual([])
    await context.close()
  }, 90_000)

  test('on a phone the panel is opened from the chat, and leads back to it', async () => {
    const { provider } = journey
    const { page, context, problems } = await journey.open()
    await page.setViewportSize({ width: 390, height: 844 })
    await signUp(page)
    await provider.script({ text: component.unbuildable, intervalMs: 2 })
    await send(page, 'Make a counter')
    await isDone(page)
    await page.getByRole('button', { name: 'Artifacts: 1 made in this chat' }).click()
    const dialog = page.getByRole('dialog', { name: 'Artifact' })
    await dialog.getByText('This does not build yet').waitFor()
    expect(await page.evaluate('document.documentElement.scrollWidth > innerWidth')).toBe(false)
    // At once: the answer may end before the page hears that it has begun.
    await provider.script({ text: component.rebuilt })
    await dialog.getByRole('button', { name: 'Fix this' }).click()
    await dialog.waitFor({ state: 'hidden' })
    await page.getByText('Mended.', { exact: true }).waitFor()
    await isDone(page)
    await page.getByRole('button', { name: /^Counter.*version 2/ }).press('Enter')
    await previewButton(page, 'Blue 0').click()
    await previewButton(page, 'Blue 1').waitFor()
    await dialog.getByRole('button', { name: 'Show in chat' }).click()
    await dialog.waitFor({ state: 'hidden' })
    await page.goto(`${page.url()}?artifact=of-nobody`)
    await dialog.getByText('This is not here any more').waitFor()
    expect(problems).toEqual([])
    await context.close()
  }, 60_000)
})
