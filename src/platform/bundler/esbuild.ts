import { createHash } from 'node:crypto'
import { AppError } from '../../lib/errors.ts'
import type { BuildInput, BuildOutput, Bundler } from './index.ts'
import { buildLimits, checkSources } from './limits.ts'
import { createPool } from './pool.ts'
import type { Vendor } from './vendor.ts'

export interface EsbuildOptions {
  vendor: Vendor
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
  const { vendor } = options
  const pool = createPool(
    { imports: vendor.imports, available: vendor.available },
    {
      timeMs: options.timeMs ?? buildLimits.timeMs,
      memoryBytes: options.memoryBytes ?? buildLimits.memoryBytes,
      queue: options.queue ?? buildLimits.queue,
      concurrency: options.concurrency ?? 1,
      idleMs: options.idleMs ?? buildLimits.idleMs,
    },
  )
  const results = createCache(options.cacheBytes ?? 64 * 1024 * 1024)
  const building = new Map<string, Promise<BuildOutput>>()

  async function build(input: BuildInput): Promise<BuildOutput> {
    checkSources(input.files)
    const key = contentKey(input, vendor)
    const known = results.get(key)
    if (known instanceof AppError) throw known
    if (known) return known
    const running = building.get(key)
    if (running) return running
    const promise = pool.run(input)
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

  return { build, close: () => pool.close() }
}

function contentKey(input: BuildInput, vendor: Vendor): string {
  const hash = createHash('sha256').update(
    JSON.stringify([vendor.directory, input.entry ?? null, input.minify ?? false]),
  )
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
