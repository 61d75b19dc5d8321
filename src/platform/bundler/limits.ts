import { AppError } from '../../lib/errors.ts'

/** What the names of the folders that workers stand in begin with. */
export const workFolder = 'atelier-build-'

/** What one build may be given, and what it may use. Every figure is a hard limit. */
export const buildLimits = {
  sourceBytes: 5 * 1024 * 1024,
  files: 500,
  pathLength: 200,
  outputBytes: 20 * 1024 * 1024,
  /** A little under ten seconds, so that the refusal itself is there in ten. */
  timeMs: 9500,
  scriptsInPage: 100,
  memoryBytes: 512 * 1024 * 1024,
  queue: 64,
  idleMs: 300_000,
  messages: 20,
  messageLength: 500,
  lineTextLength: 200,
} as const

/** What reading outlines may use: an answer waits for it. */
export const outlineLimits = {
  timeMs: 6000,
  memoryBytes: 384 * 1024 * 1024,
  queue: 16,
  idleMs: 60_000,
} as const

/**
 * Checks sources before anything else looks at them: count, size, and paths that are relative, plain and different even
 * where case does not count. Throws AppError too-large or invalid, code BUILD_INPUT.
 */
export function checkSources(files: Readonly<Record<string, string>>): void {
  const paths = Object.keys(files)
  if (paths.length === 0) throw new AppError('invalid', 'BUILD_INPUT', 'There is nothing to build')
  if (paths.length > buildLimits.files) {
    throw new AppError('too-large', 'BUILD_INPUT', `A project may have at most ${buildLimits.files} files`)
  }
  let size = 0
  const seen = new Set<string>()
  for (const path of paths) {
    checkPath(path)
    const folded = path.normalize('NFC').toLowerCase()
    if (seen.has(folded)) throw badPath('Two files have the same name')
    seen.add(folded)
    size += Buffer.byteLength(files[path] ?? '')
    if (size > buildLimits.sourceBytes) {
      const megabytes = buildLimits.sourceBytes / 1024 / 1024
      throw new AppError('too-large', 'BUILD_INPUT', `The sources may have at most ${megabytes} MB together`)
    }
  }
}

/** Throws AppError invalid BUILD_INPUT unless the path is relative, `/`-separated and free of tricks. */
export function checkPath(path: string): void {
  if (path.length === 0 || path.length > buildLimits.pathLength) {
    throw badPath(`A path must have 1 to ${buildLimits.pathLength} characters`)
  }
  if (/[\p{Cc}\p{Cf}\p{Cs}\\:]/u.test(path))
    throw badPath('A path may not hold backslashes, colons or control characters')
  if (path.split('/').some(segment => segment === '' || segment === '.' || segment === '..')) {
    throw badPath('A path must be relative and plain')
  }
}

function badPath(message: string): AppError {
  return new AppError('invalid', 'BUILD_INPUT', message)
}
