import type { Database } from '../../platform/database/index.ts'
import type { ModelMessage } from '../../platform/models/index.ts'
import { estimateTokens, type Generation, type Prompt, type PromptLimits } from '../generations/index.ts'
import type { Memory } from './memory.ts'
import { type ContextMessage, listContext } from './store.ts'

const pageSize = 40
const overheadTokens = 8

export interface ContextDeps {
  db: Database
  memory: Pick<Memory, 'note' | 'recall'>
}

/** How the prompts of a kind differ from the plain conversation. */
export interface PromptShape {
  /** Said instead of the conversation's own system prompt. */
  system?: string
  /** Said by the person behind the question. */
  behind?: string
  /** A message's words as the model is told them. */
  rewrite?(message: { role: 'user' | 'assistant'; content: string }): string
}

/**
 * The prompt of a reply: the newest messages that fit the budget, oldest first, the question always among them, and the
 * conversation's summary for those that do not fit. A reply that is being continued ends the prompt as the model's own
 * words, followed by the request to go on.
 */
export async function buildPrompt(
  { db, memory }: ContextDeps,
  generation: Generation,
  { budgetTokens, recent, shape = {} }: PromptLimits & { shape?: PromptShape },
): Promise<Prompt> {
  const { conversationId, replyId = null } = generation
  if (!conversationId) return { messages: [] }
  const chosen: ContextMessage[] = []
  let page = recent ?? (await listContext(db, conversationId, 2_000_000_000, pageSize, replyId))
  let left =
    budgetTokens -
    estimateTokens(shape.system ?? page[0]?.systemPrompt ?? '') -
    estimateTokens(shape.behind ?? '')
  for (;;) {
    for (const stored of page) {
      const message = shape.rewrite ? { ...stored, content: shape.rewrite(stored) } : stored
      const cost = costOf(message)
      if (cost > left && chosen.some(earlier => earlier.content !== '')) {
        memory.note(generation.id, budgetTokens, budgetTokens)
        const context = await withSummary(memory, conversationId, { chosen, left })
        return promptOf(context, generation, shape)
      }
      left -= cost
      chosen.push(message)
    }
    if (page.length < pageSize) break
    page = await listContext(db, conversationId, (page.at(-1)?.position ?? 1) - 1, pageSize, replyId)
  }
  memory.note(generation.id, budgetTokens - left, budgetTokens)
  return promptOf({ chosen, summary: null }, generation, shape)
}

function costOf(message: ContextMessage): number {
  return estimateTokens(message.content) + overheadTokens
}

interface Context {
  /** Newest first. */
  chosen: readonly ContextMessage[]
  summary: string | null
}

/** Makes room for the summary of what does not fit, by leaving out the oldest messages that it covers. */
async function withSummary(
  memory: Pick<Memory, 'recall'>,
  conversationId: string,
  { chosen, left }: { chosen: readonly ContextMessage[]; left: number },
): Promise<Context> {
  const summary = await memory.recall(conversationId)
  if (!summary) return { chosen, summary: null }
  const kept = [...chosen]
  let room = left - estimateTokens(summary.text)
  while (room < 0 && kept.length > 2 && (kept.at(-1)?.position ?? 0) <= summary.until) {
    const dropped = kept.pop()
    if (dropped) room += costOf(dropped)
  }
  return { chosen: kept, summary: summary.text }
}

function promptOf({ chosen, summary }: Context, generation: Generation, shape: PromptShape): Prompt {
  const system = [
    shape.system ?? chosen[0]?.systemPrompt,
    summary === null ? null : `Summary of the conversation before these messages:\n${summary}`,
  ]
    .filter(Boolean)
    .join('\n\n')
  const messages: ModelMessage[] = []
  for (const { role, content } of chosen.toReversed()) {
    if (content === '') continue
    const last = messages.at(-1)
    // Providers want the roles to alternate; a question whose answer failed is followed by another question.
    if (last?.role === role) last.content += `\n\n${content}`
    else messages.push({ role, content })
  }
  while (messages[0]?.role === 'assistant') messages.shift()
  const question = messages.at(-1)
  if (generation.replyOffset > 0) messages.push({ role: 'user', content: goOn })
  else if (shape.behind && question?.role === 'user') question.content += `\n\n${shape.behind}`
  return system ? { system, messages } : { messages }
}

const goOn =
  'Your answer was cut off. Go on exactly where it stopped, in the middle of a word or line of code if need be. Do not repeat anything and do not comment on this.'
