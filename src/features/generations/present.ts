import type { GenerationView } from './schema.ts'
import type { Generation } from './store.ts'

/** A generation as our API shows it. */
export function presentGeneration(generation: Generation): GenerationView {
  const { inputTokens, outputTokens, cachedInputTokens } = generation
  return {
    id: generation.id,
    kind: generation.kind,
    status: generation.status,
    finishReason: generation.finishReason,
    model: generation.model,
    conversationId: generation.conversationId,
    messageId: generation.messageId,
    replyId: generation.replyId,
    usage:
      inputTokens === null || outputTokens === null
        ? null
        : {
            inputTokens,
            outputTokens,
            cachedInputTokens: cachedInputTokens ?? 0,
            isEstimated: generation.usageEstimated,
          },
    costMicroCredits: generation.costMicroCredits,
    keyId: generation.keyId,
    error: generation.error,
    lastSeq: generation.lastSeq,
    createdAt: generation.createdAt.toISOString(),
    startedAt: generation.startedAt?.toISOString() ?? null,
    finishedAt: generation.finishedAt?.toISOString() ?? null,
  }
}
