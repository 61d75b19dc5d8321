import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { checkPlugin } from '../../src/features/plugins/checks/check.ts'
import { createSandboxModel } from '../../src/platform/models/sandbox.ts'

// Each plugin marks the lines that must be found with `✗ rule …`; nothing else may be.
const folder = join(import.meta.dirname, 'fixtures')
const plugins = readdirSync(folder).filter(name => name.endsWith('.php'))

function marked(code: string): string[] {
  return code.split('\n').flatMap((line, index) => {
    const rules = /✗ ([\w -]+)/.exec(line)?.[1]?.trim().split(' ') ?? []
    return rules.sort().map(rule => `${index + 1} ${rule}`)
  })
}

const found = (code: string) =>
  checkPlugin(code)
    .map(({ line, rule }) => `${line} ${rule}`)
    .sort((a, b) => Number.parseInt(a, 10) - Number.parseInt(b, 10) || a.localeCompare(b))

describe('the checks of plugins', () => {
  test('have a plugin for each rule and more', () => {
    expect(plugins.length).toBeGreaterThanOrEqual(60)
  })

  test.each(plugins)('find what is marked in %s, and nothing else', name => {
    const code = readFileSync(join(folder, name), 'utf8')
    expect(found(code)).toEqual(marked(code))
  })

  test('say rule, advice and a line of the source for everything', () => {
    for (const name of plugins) {
      const code = readFileSync(join(folder, name), 'utf8')
      for (const finding of checkPlugin(code)) {
        expect(finding.message, name).not.toBe('')
        expect(finding.advice, name).not.toBe('')
        expect(finding.line).toBeGreaterThanOrEqual(1)
        expect(finding.line).toBeLessThanOrEqual(code.split('\n').length)
      }
    }
  })

  test('let the plugin of the sandbox model pass', async () => {
    let text = ''
    const request = {
      model: 'sandbox',
      messages: [{ role: 'user' as const, content: 'Write a WooCommerce plugin that shows a gift note' }],
      ...{ temperature: 0.7, topK: 40, topP: 0.95, maxOutputTokens: 8192 },
    }
    const stream = createSandboxModel({ delayMs: 0 }).stream(request, {
      signal: new AbortController().signal,
    })
    for await (const parts of stream) for (const part of parts) if (part.type === 'text') text += part.text
    const code = /```php[^\n]*\n([\s\S]*?)```/.exec(text)?.[1] ?? ''
    expect(code).toContain('Plugin Name:')
    expect(found(code)).toEqual([])
  })
})
