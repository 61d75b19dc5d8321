import { createRequire } from 'node:module'
import { build, type Plugin, transform } from 'esbuild'
import { createElement, type FunctionComponent } from 'react'
import { renderToString } from 'react-dom/server'
import { describe, expect, test } from 'vitest'
import { askFor, listen } from './contract.ts'
import type { ModelMessage } from './index.ts'
import { createSandboxModel } from './sandbox.ts'

const fast = createSandboxModel({ delayMs: 0 })

/** The answer to the last of these messages, each earlier one answered by the sandbox itself. */
async function converse(...texts: string[]): Promise<string> {
  const messages: ModelMessage[] = []
  for (const content of texts) {
    messages.push({ role: 'user', content })
    const { text } = await listen(fast, askFor({ messages, maxOutputTokens: 8192 }))
    messages.push({ role: 'assistant', content: text })
  }
  return messages.at(-1)?.content ?? ''
}

function fences(text: string): { info: string; code: string }[] {
  return [...text.matchAll(/^```(.+)\n([\s\S]*?)^```$/gm)].map(([, info = '', code = '']) => ({ info, code }))
}

async function render(tsx: string): Promise<string> {
  const { code } = await transform(tsx, { loader: 'tsx', format: 'cjs', jsx: 'automatic' })
  const module = { exports: {} as { default?: FunctionComponent } }
  new Function('module', 'exports', 'require', code)(module, module.exports, createRequire(import.meta.url))
  if (!module.exports.default) throw new Error('there is no default export')
  return renderToString(createElement(module.exports.default))
}

/** Files by path for esbuild, imports relative to `src/`, with or without an ending. */
function inMemory(files: ReadonlyMap<string, string>): Plugin {
  return {
    name: 'in-memory',
    setup: ({ onResolve, onLoad }) => {
      onResolve({ filter: /^\.|^src\// }, ({ path, importer }) => {
        const full = importer ? new URL(path, `file:///${importer}`).pathname.slice(1) : path
        const found = ['', '.tsx', '.ts'].map(ending => full + ending).find(name => files.has(name))
        return found ? { path: found, namespace: 'memory' } : { errors: [{ text: `no file ${full}` }] }
      })
      onLoad({ filter: /.*/, namespace: 'memory' }, ({ path }) => ({
        contents: files.get(path) ?? '',
        loader: path.endsWith('.css') ? 'css' : 'tsx',
      }))
    },
  }
}

describe('as a model', () => {
  test('goes on where an answer was cut off', async () => {
    const question: ModelMessage = { role: 'user', content: 'Write a blog post about tea' }
    const whole = (await listen(fast, askFor({ messages: [question], maxOutputTokens: 8192 }))).text
    const half = whole.slice(0, whole.length / 2)
    const messages: ModelMessage[] = [
      question,
      { role: 'assistant', content: half },
      { role: 'user', content: 'Your answer was cut off. Go on exactly where it stopped.' },
    ]
    const { text } = await listen(fast, askFor({ messages, maxOutputTokens: 8192 }))
    expect(half + text).toBe(whole)
  })

  test('says in every answer that it is the sandbox model', async () => {
    const wishes = [
      'hello',
      'a button component',
      'an html page',
      'a WooCommerce plugin for gifts',
      'a blog post outline',
      'a python function',
      'a project with several files',
    ]
    for (const wish of wishes) expect(await converse(wish)).toMatch(/sandbox model/)
  })

  test('answers the same to the same conversation', async () => {
    expect(await converse('hello', 'a card component')).toBe(await converse('hello', 'a card component'))
  })

  test('counts usage and stops with a reason', async () => {
    const heard = await listen(fast, askFor({ maxOutputTokens: 8192 }))
    expect(heard.finish).toBe('stop')
    expect(heard.usage?.inputTokens).toBeGreaterThan(0)
    expect(heard.usage?.outputTokens).toBeGreaterThan(20)
  })

  test('stops at the limit', async () => {
    const whole = await listen(fast, askFor({ maxOutputTokens: 8192 }))
    const heard = await listen(fast, askFor({ maxOutputTokens: 7 }))
    expect(heard).toMatchObject({ finish: 'length', usage: { outputTokens: 7 } })
    expect(whole.text.startsWith(heard.text)).toBe(true)
    expect(heard.text.length).toBeGreaterThan(0)
  })

  test('writes word by word at its pace, and stops at once when told', async () => {
    const slow = createSandboxModel({ delayMs: 20 })
    const controller = new AbortController()
    const startedAt = performance.now()
    let words = 0
    const reading = (async () => {
      for await (const parts of slow.stream(askFor(), { signal: controller.signal })) {
        if (parts.some(part => part.type === 'text')) words += 1
        if (words === 5) controller.abort(new Error('enough'))
      }
    })()
    await expect(reading).rejects.toThrow('enough')
    expect(words).toBe(5)
    expect(performance.now() - startedAt).toBeGreaterThan(90)
    expect(performance.now() - startedAt).toBeLessThan(5000)
  })
})

describe('components', () => {
  test.each([
    ['Create a button component', 'Click me'],
    ['a React button that says "Buy now"', 'Buy now'],
    ['build a counter', 'Increase'],
    ['make a profile card', 'Like'],
    ['a contact form component', 'E-mail'],
    ['Build me a todo list', 'Add a task of your own'],
    ['show a data table in React', 'Walnut desk'],
    ['create a modal', 'Open the dialog'],
    ['tabs component', 'Overview'],
    ['a stopwatch widget', 'Start'],
    ['a React component for planets', 'Planets'],
  ])('"%s" can be rendered and shows "%s"', async (wish, shown) => {
    const [fence] = fences(await converse(wish))
    expect(fence?.info).toBe('tsx')
    expect(await render(fence?.code ?? '')).toContain(shown)
  })

  test('a follow-up changes what was made last', async () => {
    const [fence] = fences(
      await converse(
        'Create a counter component',
        'make it blue',
        'make it dark and bigger',
        'call it "Tally"',
      ),
    )
    const html = await render(fence?.code ?? '')
    expect(fence?.code).toContain('#2563eb')
    expect(html).toContain('background:#171717')
    expect(html).toContain('Tally')
    expect(html).toContain('Increase')
  })

  test.each([
    'a broken counter component',
    'Create a button component with a bug',
    'a card in React that does not build',
  ])('"%s" does not build until it is mended, also when it was changed before and after', async wish => {
    const fix =
      '“Thing” does not build:\n\n```text\nApp.tsx:4:1: Unexpected red "}"\n```\n\nPlease fix it and give the whole corrected code.'
    const built = async (...texts: string[]) => fences(await converse(...texts))[0]?.code ?? ''
    await expect(render(await built(wish))).rejects.toThrow('Transform failed')
    await expect(render(await built(wish, 'make it green'))).rejects.toThrow('Transform failed')
    const mended = await built(wish, 'make it green', fix)
    expect(mended).toContain('#16a34a')
    expect(await render(mended)).toContain('<main')
    expect(await render(await built(wish, fix, 'make it blue'))).toContain('<main')
    expect(await converse(wish)).not.toMatch(/for \*\*.*(bug|broken|build)/)
  })

  test('the line before the code, which becomes a title, does not change with the look', async () => {
    const lineBefore = async (...texts: string[]) => /(.*)\n\n```/.exec(await converse(...texts))?.[1]
    const wish = 'a project with several files for notes'
    expect(await lineBefore(wish)).toBe('Here is a project of 5 files for **notes**:')
    expect(await lineBefore(wish, 'make it green')).toBe('Here is a project of 5 files for **notes**:')
    expect(await converse(wish, 'make it green')).toMatch(/^Changed as you asked: green\./)
  })

  test('whatever a person writes, the code stays code', async () => {
    const [fence] = fences(
      await converse('a card component `$' + '{process.exit()}` \'"</script>\\ {throw} called "x\'}"'),
    )
    expect(await render(fence?.code ?? '')).toContain('Like')
  })
})

describe('other things', () => {
  test('a page is one HTML file with style and script', async () => {
    const [fence, ...others] = fences(await converse('A landing page for a <b>bakery</b>'))
    expect(others).toEqual([])
    expect(fence?.info).toBe('html')
    expect(fence?.code).toMatch(/<!doctype html>[\s\S]*<style>[\s\S]*<script>/)
    expect(fence?.code).not.toContain('<b>')
  })

  test('the files of a project carry their paths, and fit together', async () => {
    const files = fences(await converse('a project with several files for a shop'))
    expect(files.map(({ info }) => info)).toEqual([
      'tsx title="src/main.tsx"',
      'tsx title="src/App.tsx"',
      'tsx title="src/components/TodoList.tsx"',
      'ts title="src/greeting.ts"',
      'css title="src/styles.css"',
    ])
    const sources = new Map(files.map(({ info, code }) => [/title="(.+)"/.exec(info)?.[1] ?? '', code]))
    const { outputFiles } = await build({
      entryPoints: ['src/main.tsx'],
      bundle: true,
      write: false,
      outdir: 'out',
      jsx: 'automatic',
      external: ['react', 'react-dom/client', 'react/jsx-runtime'],
      format: 'esm',
      logLevel: 'silent',
      plugins: [inMemory(sources)],
    })
    expect(outputFiles.map(file => file.path.replace(/.*\./, '')).sort()).toEqual(['css', 'js'])
  })

  test.each([
    ['A WooCommerce plugin for gift notes'],
    ['A WooCommerce plugin for gift notes', 'on all products', 'Finalize'],
  ])('a plugin: %s', async (...wishes) => {
    const answer = await converse(...wishes)
    const [fence] = fences(answer)
    expect(fence?.info).toBe('php')
    for (const needed of [
      'Plugin Name:          Gift notes',
      "defined( 'ABSPATH' )",
      'add_action(',
      'custom_order_tables',
      'esc_html(',
      'sanitize_text_field',
    ]) {
      expect(fence?.code).toContain(needed)
    }
    expect(answer.includes('final version')).toBe(wishes.includes('Finalize'))
  })

  test.each([
    ['Add a gift wrapping checkbox to the checkout for five euros', 'Gift wrapping checkbox'],
    ['Gift wrapping for every order in the shop', 'Gift wrapping'],
    ['Minimum order amount per customer group and country', 'Minimum order amount'],
    ['10% off on mondays', '10 off on mondays'],
    ['Show the delivery day', 'Delivery day'],
  ])('a plugin for "%s" is called "%s"', async (wish, name) => {
    const messages: ModelMessage[] = [{ role: 'user', content: wish }]
    const system = 'You write WooCommerce plugins.'
    const { text } = await listen(fast, askFor({ system, messages, maxOutputTokens: 8192 }))
    expect(/Plugin Name: +(.+)/.exec(text)?.[1]).toBe(name)
  })

  test('the system prompt of a plugin session is enough', async () => {
    const { text } = await listen(
      fast,
      askFor({
        system: 'You write WooCommerce plugins.',
        messages: [{ role: 'user', content: '10% off on mondays' }],
        maxOutputTokens: 8192,
      }),
    )
    expect(text).toContain('Plugin Name:')
    expect(text).toContain('shop_10_off_on_mondays')
  })

  test.each([
    ['Blog Post Outline about coffee', /^# Coffee: an outline/],
    ['Write a product description for a lamp', /^## Lamp/],
    ['Social media caption for the summer sale', /#Summersale/],
    ['Write an e-mail about the new office', /\*\*Subject:\*\* New office/],
    ['Write a blog article about tea', /^# Tea\n/],
  ])('content: %s', async (wish, expected) => {
    expect(await converse(wish)).toMatch(expected)
  })

  test('the system prompt may name the kind of content', async () => {
    const { text } = await listen(
      fast,
      askFor({
        system: 'Write a Product Description.',
        messages: [{ role: 'user', content: 'a walnut desk' }],
        maxOutputTokens: 8192,
      }),
    )
    expect(text).toMatch(/^## Walnut desk/)
  })

  test('talk refers to what was said before', async () => {
    expect(await converse('My name is Ada.', 'What did I say?')).toContain('“My name is Ada.”')
  })

  test('a summary for the memory holds what was said', async () => {
    const { text } = await listen(
      fast,
      askFor({
        system: 'Summarise the conversation.',
        messages: [{ role: 'user', content: 'I like walnut.' }],
        maxOutputTokens: 8192,
      }),
    )
    expect(text).toContain('I like walnut.')
  })
})
