import { AppError } from '../../lib/errors.ts'
import type { Database } from '../../platform/database/index.ts'
import { estimateTokens, type Generation, type Generations, type Prompt } from '../generations/index.ts'
import { listUnsummarised, readSummary, saveSummary } from './store-memory.ts'

/** Of the room for a prompt: how much may be used before the older part is summed up, and how much stays as it is. */
const fullShare = 0.7
const keptShare = 0.3

const instruction = `You keep the memory of a conversation between a person and a model. Sum up what follows, so that the
conversation can go on without it: what the person wants and likes, decisions, names, numbers, open questions, and what
code exists (its purpose, structure and the names in it). Keep what the earlier summary says unless it has changed. Write
plain prose and lists, at most 600 words, in the language of the conversation. Add nothing of your own.`

export type Memory = ReturnType<typeof createMemory>

/**
 * The rolling summary of long conversations. When an answer's prompt has used most of its room, the model sums up the
 * older messages afterwards, as a generation of kind `summary`; from then on prompts hold the summary instead of them.
 */
export function createMemory(db: Database, generations: Generations) {
  const crowded = new Map<string, number>()
  const upTo = new Map<string, number>()
  const busy = new Set<string>()

  generations.define('summary', {
    conversationKind: 'chat',
    title: () => 'Summary',
    prompt: async (generation, { budgetTokens }) => {
      const { prompt, until } = await summaryPrompt(db, generation, budgetTokens)
      upTo.set(generation.id, until)
      return prompt
    },
  })

  generations.observe(run => {
    const { conversationId, accountId, generationId } = run
    if (conversationId === null) return null
    if (run.kind === 'summary') {
      return {
        text() {},
        async end({ status, text }) {
          const until = upTo.get(generationId)
          upTo.delete(generationId)
          busy.delete(conversationId)
          if (status === 'completed' && until !== undefined)
            await saveSummary(db, conversationId, { text, until })
        },
      }
    }
    return {
      text() {},
      async end({ status }) {
        const isCrowded = crowded.delete(generationId)
        if (!isCrowded || status !== 'completed' || busy.has(conversationId)) return
        busy.add(conversationId)
        try {
          await generations.startAlone({ accountId, kind: 'summary', conversationId })
        } catch (error) {
          busy.delete(conversationId)
          // Without credits for a summary the oldest messages are left out; the next answer tries again.
          if (!(error instanceof AppError && error.kind === 'payment')) throw error
        }
      },
    }
  })

  return {
    /** Notes how full a prompt was, so that a summary is made after its answer. */
    note(generationId: string, usedTokens: number, budgetTokens: number): void {
      if (usedTokens > budgetTokens * fullShare) crowded.set(generationId, usedTokens)
    },
    /** What is told instead of the messages that no longer fit; null when there is no summary. */
    recall: (conversationId: string) => readSummary(db, conversationId),
  }
}

/** The earlier summary and the messages after it, except the newest ones, with the position of the last. */
async function summaryPrompt(
  db: Database,
  generation: Generation,
  budgetTokens: number,
): Promise<{ prompt: Prompt; until: number }> {
  const { conversationId } = generation
  if (conversationId === null) throw new Error('a summary needs its conversation')
  const earlier = await readSummary(db, conversationId)
  const messages = await listUnsummarised(db, conversationId, earlier?.until ?? 0)
  const older = withoutNewest(messages, budgetTokens * keptShare)
  const lines: string[] = []
  let left = budgetTokens * fullShare - estimateTokens(instruction) - estimateTokens(earlier?.text ?? '')
  let until = earlier?.until ?? 0
  for (const { role, content, position } of older) {
    const line = `${role === 'user' ? 'Person' : 'Model'}: ${content}`
    left -= estimateTokens(line)
    if (left < 0 && lines.length > 0) break
    lines.push(line.slice(0, Math.max(400, budgetTokens * 2)))
    until = position
  }
  const summary = earlier ? `Summary so far:\n${earlier.text}\n\n` : ''
  const content = `${summary}Conversation:\n${lines.join('\n\n')}`
  return { prompt: { system: instruction, messages: [{ role: 'user', content }] }, until }
}

/** The messages before the newest ones that fit into so many tokens; whole turns, so that an answer keeps its question. */
function withoutNewest<M extends { role: string; content: string }>(
  messages: readonly M[],
  tokens: number,
): readonly M[] {
  let left = tokens
  let end = messages.length
  while (end > 0) {
    left -= estimateTokens(messages[end - 1]?.content ?? '')
    if (left < 0) break
    end--
  }
  while (end > 0 && messages[end - 1]?.role === 'user') end--
  return messages.slice(0, end)
}
