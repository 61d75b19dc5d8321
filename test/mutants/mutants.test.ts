import { existsSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { expect, test } from 'vitest'
import { authentication } from './authentication.ts'
import { authorization } from './authorization.ts'

const root = resolve(import.meta.dirname, '../..')

test('every guard that a mutant takes away is still there, and so are the tests that are to notice', () => {
  const unfit = [...authentication, ...authorization].flatMap(({ row, what, changes, tests }) => {
    // Several changes of one file are made one after the other.
    const texts = new Map<string, string>()
    const gone = changes.filter(({ file, from, to }) => {
      const text = texts.get(file) ?? readFileSync(resolve(root, file), 'utf8')
      texts.set(
        file,
        text.replace(from, () => to),
      )
      return !text.includes(from)
    })
    const lost = tests.filter(path => !existsSync(resolve(root, path)))
    return [...gone.map(({ from }) => from), ...lost].map(missing => `${row} ${what}: ${missing}`)
  })
  expect(unfit).toEqual([])
})
