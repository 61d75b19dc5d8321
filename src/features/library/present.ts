import type { EntryView } from './schema.ts'
import type { Entry } from './store.ts'

/** An entry as our API shows it. */
export function presentEntry(entry: Entry): EntryView {
  const { jobId, generationId, model, createdAt, updatedAt, ...rest } = entry
  return {
    ...rest,
    provenance: jobId && generationId && model ? { jobId, generationId, model } : null,
    createdAt: createdAt.toISOString(),
    updatedAt: updatedAt.toISOString(),
  }
}
