/** The child process that builds. It holds no secrets, stands in an empty folder, and is killed when it takes too much. */
import { setPriority } from 'node:os'
import { stop } from 'esbuild'
import type { Libraries } from './compile.ts'
import type { BuildInput, BuildOutput } from './index.ts'
import { buildProject } from './project.ts'

export type WorkerRequest = { type: 'build'; input: BuildInput; libraries: Libraries } | { type: 'stop' }
export type WorkerAnswer = { type: 'built'; output: BuildOutput } | { type: 'failed'; text: string }

try {
  setPriority(10)
} catch {
  // Some systems do not allow it; builds are then only queued, not nicer.
}

process.on('message', async (request: WorkerRequest) => {
  if (request.type === 'stop') {
    await stop()
    process.disconnect()
    return
  }
  answer(await run(request.input, request.libraries))
})

process.on('disconnect', () => {
  void stop().then(() => process.exit(0))
})

async function run(input: BuildInput, libraries: Libraries): Promise<WorkerAnswer> {
  try {
    return { type: 'built', output: await buildProject(input, libraries) }
  } catch (error) {
    return { type: 'failed', text: error instanceof Error ? error.message.slice(0, 500) : 'unknown' }
  }
}

function answer(message: WorkerAnswer): void {
  process.send?.(message)
}
