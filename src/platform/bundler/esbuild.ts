import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { AppError } from '../../lib/errors.ts'
import type { BuildInput, BuildOutput, Bundler, Outline, OutlineSource } from './index.ts'
import { buildLimits, checkSources, outlineLimits } from './limits.ts'
import { createPool } from './pool.ts'
import type { Vendor } from './vendor.ts'

export interface EsbuildOptions {
  vendor: Vendor
  /** Where browsers get packages that are not in the vendor bundle, such as `https://esm.sh`; refused when absent. */
  cdn?: string | undefined
  /** How many builds run at once; the others wait. */
  concurrency?: number
  timeMs?: number
  memoryBytes?: number
  queue?: number
  idleMs?: number
  /** Results are kept up to this many bytes of pages. */
  cacheBytes?: number
}

/** esbuild in child processes, with one result per content: what was built is remembered, what is being built is joined. */
export function createEsbuildBundler(options: EsbuildOptions): Bundler {
  const { vendor, cdn } = options
  const libraries = { imports: vendor.imports, available: vendor.available, cdn }
  const pool = createPool({
    timeMs: options.timeMs ?? buildLimits.timeMs,
    memoryBytes: options.memoryBytes ?? buildLimits.memoryBytes,
    queue: options.queue ?? buildLimits.queue,
    concurrency: options.concurrency ?? 1,
    idleMs: options.idleMs ?? buildLimits.idleMs,
  })
  // Outlines are asked for while an answer ends: they must not wait behind builds.
  const readers = createPool({ ...outlineLimits, concurrency: 1 })
  const fingerprint = fingerprintOf(options)
  const results = createCache(options.cacheBytes ?? 64 * 1024 * 1024)
  const building = new Map<string, Promise<BuildOutput>>()

  async function build(input: BuildInput): Promise<BuildOutput> {
    checkSources(input.files)
    const key = contentKey(input)
    const known = results.get(key)
    if (known instanceof AppError) throw known
    if (known) return known
    const running = building.get(key)
    if (running) return running
    const promise = pool.run({ type: 'build', input, libraries }) as Promise<BuildOutput>
    building.set(key, promise)
    try {
      const output = await promise
      results.set(key, output, output.ok ? output.html.length * 2 : 4096)
      return output
    } catch (error) {
      // What broke the limits once would break them again.
      if (error instanceof AppError && (error.kind === 'timeout' || error.kind === 'too-large'))
        results.set(key, error, 1024)
      throw error
    } finally {
      building.delete(key)
    }
  }

  return {
    build,
    fingerprint,
    async outline(sources: readonly OutlineSource[]) {
      return (await readers.run({ type: 'outline', sources })) as (Outline | null)[]
    },
    async close() {
      await Promise.all([pool.close(), readers.close()])
    },
  }
}

/** Changes with the libraries, the settings, and any file of the bundler. */
function fingerprintOf({ vendor, cdn }: EsbuildOptions): string {
  const hash = createHash('sha256').update(JSON.stringify([vendor.imports, cdn ?? null]))
  const folder = import.meta.dirname
  for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort())
    if (/\.[jt]s$/.test(name) && !name.endsWith('.test.ts')) hash.update(readFileSync(join(folder, name)))
  return hash.digest('hex').slice(0, 16)
}

function contentKey(input: BuildInput): string {
  const hash = createHash('sha256').update(JSON.stringify([input.entry ?? null, input.minify ?? false]))
  for (const path of Object.keys(input.files).sort()) {
    const content = input.files[path] ?? ''
    hash.update(`\0${path}\0${content.length}\0`).update(content)
  }
  return hash.digest('base64')
}

/** The results used last, up to a total size. */
function createCache(capacity: number) {
  const entries = new Map<string, { value: BuildOutput | AppError; size: number }>()
  let total = 0
  return {
    get(key: string): BuildOutput | AppError | undefined {
      const entry = entries.get(key)
      if (!entry) return undefined
      entries.delete(key)
      entries.set(key, entry)
      return entry.value
    },
    set(key: string, value: BuildOutput | AppError, size: number): void {
      if (size > capacity) return
      total += size - (entries.get(key)?.size ?? 0)
      entries.delete(key)
      entries.set(key, { value, size })
      for (const [oldest, entry] of entries) {
        if (total <= capacity) break
        entries.delete(oldest)
        total -= entry.size
      }
    },
  }
}
