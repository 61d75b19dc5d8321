import type { BuildOutput, Bundler } from '../../platform/bundler/index.ts'
import type { Files } from '../../platform/files/index.ts'
import { buildName, buildsOf, prefixOf } from './objects.ts'
import type { ArtifactWithFiles } from './store.ts'
import type { createTurns } from './turns.ts'

export interface BuildsDeps {
  files: Files
  bundler: Bundler
  inTurn: ReturnType<typeof createTurns>
  /** The sources of an artifact by path. Throws AppError missing when they have gone. */
  sourcesOf(artifact: ArtifactWithFiles): Promise<Record<string, string>>
}

export interface BuildOptions {
  minify?: boolean
}

export type Builds = ReturnType<typeof createBuilds>

/** Larger results are built again: pages of this size are not what a store is for. */
const mostBytes = 4 * 1024 * 1024

/**
 * Builds of artifacts, one for each content: what was built is kept beside the sources and outlives the process, what is
 * being built is joined, and only what must be built waits for its turn. Losing a kept build costs time, nothing else.
 */
export function createBuilds({ files, bundler, inTurn, sourcesOf }: BuildsDeps) {
  const running = new Map<string, Promise<BuildOutput>>()
  const writing = new Set<Promise<void>>()

  async function produce(artifact: ArtifactWithFiles, key: string, minify: boolean): Promise<BuildOutput> {
    const kept = await readKept(files, key)
    if (kept) return kept
    return inTurn(artifact.accountId, async () => {
      const output = await bundler.build({ files: await sourcesOf(artifact), minify })
      keep(key, output)
      return output
    })
  }

  /** Nobody waits for it; what removes builds waits for it in `remove`. */
  function keep(key: string, output: BuildOutput): void {
    const bytes = Buffer.from(JSON.stringify(output), 'utf8')
    if (bytes.length > mostBytes) return
    const put = files.put(key, bytes, { contentType: 'application/json' }).catch(() => undefined)
    writing.add(put)
    void put.then(() => writing.delete(put))
  }

  return {
    build(artifact: ArtifactWithFiles, { minify = false }: BuildOptions = {}): Promise<BuildOutput> {
      const key = prefixOf(artifact) + buildName(artifact.files, { fingerprint: bundler.fingerprint, minify })
      const known = running.get(key)
      if (known) return known
      const built = produce(artifact, key, minify).finally(() => running.delete(key))
      running.set(key, built)
      return built
    },
    /** Resolves when what was built so far is kept. */
    async settled(): Promise<void> {
      await Promise.all(writing)
    },
    /** Removes what was built of an artifact's content, by whatever version of the bundler. */
    async remove(artifact: ArtifactWithFiles): Promise<void> {
      await Promise.all(writing)
      const keys: string[] = []
      for await (const key of files.list(prefixOf(artifact) + buildsOf(artifact.files))) keys.push(key)
      for (const key of keys) await files.delete(key)
    },
  }
}

/** What was kept under a key; null when there is nothing that can be used. */
async function readKept(files: Files, key: string): Promise<BuildOutput | null> {
  try {
    const bytes = await files.get(key)
    return bytes ? (JSON.parse(Buffer.from(bytes).toString('utf8')) as BuildOutput) : null
  } catch {
    return null
  }
}
