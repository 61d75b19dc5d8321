/** The child process that builds. It holds no secrets, stands in an empty folder, and is killed when it takes too much. */
import { rm } from 'node:fs/promises'
import { setPriority } from 'node:os'
import { basename } from 'node:path'
import { stop } from 'esbuild'
import type { Libraries } from './compile.ts'
import type { BuildInput, OutlineSource } from './index.ts'
import { workFolder } from './limits.ts'
import { outlineAll } from './outline.ts'
import { buildProject } from './project.ts'

/** What a worker is asked for: a BuildOutput, or outlines. */
export type WorkerTask =
  | { type: 'build'; input: BuildInput; libraries: Libraries }
  | { type: 'outline'; sources: readonly OutlineSource[] }
export type WorkerAnswer = { type: 'done'; result: unknown } | { type: 'failed'; text: string }

/** Builds make room for answers; outlines are what an answer waits for. */
function makeRoom(task: WorkerTask): void {
  try {
    if (task.type === 'build') setPriority(10)
  } catch {
    // Some systems do not allow it; builds are then only queued, not nicer.
  }
}

process.on('message', async (task: WorkerTask) => {
  makeRoom(task)
  answer(await run(task))
})

// The server has gone, perhaps without a word: nothing of ours may stay behind.
process.on('disconnect', async () => {
  await stop()
  const folder = process.cwd()
  // Whoever starts this by hand elsewhere must not lose what is there.
  if (basename(folder).startsWith(workFolder)) {
    await rm(folder, { recursive: true, force: true }).catch(() => undefined)
  }
  process.exit(0)
})

async function run(task: WorkerTask): Promise<WorkerAnswer> {
  try {
    const result =
      task.type === 'build' ? await buildProject(task.input, task.libraries) : await outlineAll(task.sources)
    return { type: 'done', result }
  } catch (error) {
    return { type: 'failed', text: error instanceof Error ? error.message.slice(0, 500) : 'unknown' }
  }
}

function answer(message: WorkerAnswer): void {
  if (process.connected) process.send?.(message)
}
