import { accessSync, constants, statSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'

/** Programs that some tests need and npm does not bring; null where the machine has none. */
export interface Machine {
  chromium: string | null
  redis: string | null
}

export const isRoot = process.getuid?.() === 0

/** Whether an ordinary user gets to this checkout and its Node, as he does not below a home of root. */
export const isOpenToOthers = [import.meta.dirname, process.execPath].every(isReachable)

/** Looks for the programs; CHROMIUM_PATH names another browser. */
export function findMachine(): Machine {
  return {
    chromium: process.env.CHROMIUM_PATH ?? firstOf(['chromium', 'chromium-browser', 'google-chrome']),
    redis: firstOf(['redis-server']),
  }
}

/** One line that says what is skipped and why; null when nothing is. Throws in CI, where nothing may be skipped. */
export function skippedLine(machine: Machine): string | null {
  const missing = [
    ...(machine.chromium ? [] : ['browser tests (no Chromium on this machine)']),
    ...(machine.redis ? [] : ['Redis tests (no redis-server on this machine)']),
  ]
  if (process.env.CI && missing.length > 0)
    throw new Error(`In CI nothing is skipped, but these cannot run: ${missing.join(', ')}`)
  const skipped = [
    ...missing,
    ...(isRoot ? [] : ['tests of a server that root starts (not root)']),
    ...(isRoot && !isOpenToOthers
      ? ['a test of a server that an ordinary user starts (this folder is closed to ordinary users)']
      : []),
  ]
  return skipped.length === 0 ? null : `Skipped: ${skipped.join(', ')}`
}

function firstOf(names: readonly string[]): string | null {
  const folders = (process.env.PATH ?? '').split(delimiter)
  const paths = names.flatMap(name => folders.map(folder => join(folder, name)))
  return paths.find(isExecutable) ?? null
}

function isReachable(path: string): boolean {
  if ((statSync(path).mode & 0o001) === 0) return false
  return dirname(path) === path || isReachable(dirname(path))
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}
