import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { makeTestFolder, removeTestFolder } from '../test/support/folder.ts'
import { ensureConsole } from './build.ts'

test('says that it builds the console, once: what is built is only found', async () => {
  const folder = await makeTestFolder('console')
  onTestFinished(() => removeTestFolder(folder))
  const told: string[] = []
  const tell = (line: string) => void told.push(line)
  const directory = await ensureConsole(tell, folder)
  expect(told).toEqual(['Building the console…'])
  expect(await readFile(join(directory, 'index.html'), 'utf8')).toContain('<div id="root">')
  expect(await ensureConsole(tell, folder)).toBe(directory)
  expect(told).toHaveLength(1)
}, 120_000)
