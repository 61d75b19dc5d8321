import { isMergeable } from './consolidation/index.ts'
import { type Block, createDetector, type Detection, filesKey, filesOf } from './detection.ts'
import { type Origin, type SaveDeps, saveArtifact } from './save.ts'
import { type ConsolidateDeps, saveConsolidated } from './save-consolidated.ts'
import { deleteOfGeneration } from './store.ts'

/** A run as it is seen here; the generations feature hands it in. */
export interface WatchedRun {
  readonly generationId: string
  readonly accountId: string
  readonly conversationId: string | null
  readonly replyId: string | null
  /** What the reply held before this run went on with it. */
  readonly prefix?: string
  emit(event: { type: string; [field: string]: unknown }): void
}

export interface ObserveDeps extends SaveDeps, ConsolidateDeps {}

/** Watches one answer: tells when code begins, keeps it when it is there. */
export interface ArtifactObserver {
  text(delta: string): void
  /** Resolves when everything found is stored and told. */
  end(): Promise<void>
}

/**
 * Follows one run. `artifact-start {key,title,language,path?}` is told while the code is still coming; `artifact-ready
 * {key,artifact}` once it is stored: for unnamed blocks when their fence closes, for named files, which are one
 * project, at the end, and so for what unnamed blocks were merged into. Null for runs that write no reply.
 */
export function observeRun(deps: ObserveDeps, run: WatchedRun): ArtifactObserver | null {
  const { conversationId, replyId } = run
  if (conversationId === null || replyId === null) return null
  const origin: Origin = {
    accountId: run.accountId,
    conversationId,
    messageId: replyId,
    generationId: run.generationId,
  }
  const detector = createDetector()
  const named: Block[] = []
  /** All blocks of the reply, in their order. */
  const blocks: Block[] = []
  let hasNewNamed = false
  // Saved one after the other, so that versions follow the order of the answer.
  let saving: Promise<void> = Promise.resolve()
  let hasSaved = false
  let isReady = false

  // What the reply already held was kept by the run that wrote it; only what goes on behind it is new.
  for (const detection of detector.write(run.prefix ?? '')) {
    if (detection.type !== 'block') continue
    blocks.push(detection.block)
    if (detection.block.isNamed) named.push(detection.block)
  }
  const known = blocks.length

  function take(detections: readonly Detection[]): void {
    for (const detection of detections) {
      if (detection.type === 'start') {
        const { key, title, language, path } = detection
        run.emit({ type: 'artifact-start', key, title, language, ...(path === null ? {} : { path }) })
        if (path === null) expectMore(language)
        continue
      }
      blocks.push(detection.block)
      if (detection.block.isNamed) {
        named.push(detection.block)
        hasNewNamed = true
      } else save(detection.block.key, [detection.block])
    }
  }

  /** Of two blocks the second may take long to come, so what the end will need is started meanwhile. */
  function expectMore(language: string): void {
    if (isReady || !blocks.some(isMergeable) || !isMergeable({ language, type: 'OTHER' })) return
    isReady = true
    deps.bundler.outline([]).catch(() => undefined)
  }

  function save(key: string, blocks: readonly [Block, ...Block[]]): void {
    saving = saving.then(async () => {
      if (!hasSaved) await deleteOfGeneration(deps.db, origin.messageId, origin.generationId)
      hasSaved = true
      const artifact = await saveArtifact(deps, origin, blocks)
      if (artifact) run.emit({ type: 'artifact-ready', key, artifact })
    })
    // Told by `end`; until then it must not count as unhandled.
    saving.catch(() => undefined)
  }

  return {
    text: delta => take(detector.write(delta)),
    async end() {
      take(detector.end())
      const [first, ...rest] = filesOf(named)
      if (hasNewNamed && first) save(filesKey, [first, ...rest])
      await saving
      if (blocks.length === known) return
      let count = 0
      for (const artifact of await saveConsolidated(deps, origin, blocks))
        run.emit({ type: 'artifact-ready', key: `consolidated-${++count}`, artifact })
    },
  }
}
