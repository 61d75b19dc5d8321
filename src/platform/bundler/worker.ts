/** The child process that builds. It holds no secrets, stands in an empty folder, and is killed when it takes too much. */
import { rm } from 'node:fs/promises'
import { setPriority } from 'node:os'
import { stop } from 'esbuild'
import type { Libraries } from './compile.ts'
import type { BuildInput, BuildOutput } from './index.ts'
import { buildProject } from './project.ts'

export interface WorkerRequest {
  input: BuildInput
  libraries: Libraries
}
export type WorkerAnswer = { type: 'built'; output: BuildOutput } | { type: 'failed'; text: string }

try {
  setPriority(10)
} catch {
  // Some systems do not allow it; builds are then only queued, not nicer.
}

process.on('message', async (request: WorkerRequest) => {
  answer(await run(request.input, request.libraries))
})

// The server has gone, perhaps without a word: nothing of ours may stay behind.
process.on('disconnect', async () => {
  await stop()
  await rm(process.cwd(), { recursive: true, force: true }).catch(() => undefined)
  process.exit(0)
})

async function run(input: BuildInput, libraries: Libraries): Promise<WorkerAnswer> {
  try {
    return { type: 'built', output: await buildProject(input, libraries) }
  } catch (error) {
    return { type: 'failed', text: error instanceof Error ? error.message.slice(0, 500) : 'unknown' }
  }
}

function answer(message: WorkerAnswer): void {
  if (process.connected) process.send?.(message)
}
