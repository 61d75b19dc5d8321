import type { Database } from '../../platform/database/index.ts'
import type { ModelMessage } from '../../platform/models/index.ts'
import { estimateTokens, type Generation, type Prompt, type PromptLimits } from '../generations/index.ts'
import { type ContextMessage, listContext } from './store.ts'

const pageSize = 40
const overheadTokens = 8

/**
 * The prompt of a reply: the newest messages that fit the budget, oldest first, the question always among them. A reply
 * that is being continued ends the prompt as the model's own words, followed by the request to go on.
 */
export async function buildPrompt(
  db: Database,
  generation: Generation,
  { budgetTokens, recent }: PromptLimits,
): Promise<Prompt> {
  const { conversationId } = generation
  if (!conversationId) return { messages: [] }
  const chosen: ContextMessage[] = []
  let page = recent ?? (await listContext(db, conversationId, 2_000_000_000, pageSize))
  let left = budgetTokens - estimateTokens(page[0]?.systemPrompt ?? '')
  for (;;) {
    for (const message of page) {
      left -= estimateTokens(message.content) + overheadTokens
      if (left < 0 && chosen.some(earlier => earlier.content !== '')) return promptOf(chosen, generation)
      chosen.push(message)
    }
    if (page.length < pageSize) return promptOf(chosen, generation)
    page = await listContext(db, conversationId, (page.at(-1)?.position ?? 1) - 1, pageSize)
  }
}

function promptOf(newestFirst: readonly ContextMessage[], generation: Generation): Prompt {
  const system = newestFirst[0]?.systemPrompt
  const messages: ModelMessage[] = []
  for (const { role, content } of newestFirst.toReversed()) {
    if (content === '') continue
    const last = messages.at(-1)
    // Providers want the roles to alternate; a question whose answer failed is followed by another question.
    if (last?.role === role) last.content += `\n\n${content}`
    else messages.push({ role, content })
  }
  while (messages[0]?.role === 'assistant') messages.shift()
  if (generation.replyOffset > 0) messages.push({ role: 'user', content: goOn })
  return system ? { system, messages } : { messages }
}

const goOn =
  'Your answer was cut off. Go on exactly where it stopped, in the middle of a word or line of code if need be. Do not repeat anything and do not comment on this.'
