import type { Server } from '../../transport/server.ts'
import { geminiBackend } from '../dialects.ts'
import type { DialectParts } from '../parts.ts'
import { speak } from '../speech.ts'
import { exampleUser, readUser } from '../user.ts'
import { NameBody } from './schema.ts'

const endpoint = speak(geminiBackend)

/** The person, what it may still send today, and what it has. */
export function userPages(parts: DialectParts) {
  const { accounts, billing } = parts
  return async (server: Server) => {
    server.get('/api/user/me', me, async request => {
      const { accountId } = request.identity
      const [user, { messages }] = await Promise.all([
        readUser(parts, accountId),
        billing.entitlements(accountId),
      ])
      return {
        success: true,
        user,
        usage: {
          daily_messages_used: messages.used,
          daily_message_limit: messages.limit,
          remaining_messages: messages.remaining,
        },
      }
    })
    server.put('/api/user/me', renaming, async request => {
      const { name } = request.body
      const account = await accounts.update(request.identity.accountId, { name })
      return { success: true, message: 'Profile updated successfully', user: await readUser(parts, account) }
    })
    server.get('/api/user/stats', statistics, async request => {
      const counts = await accounts.statistics(request.identity.accountId)
      const { conversations = 0, questions = 0, answers = 0 } = counts
      return {
        success: true,
        stats: {
          chatroom_count: conversations,
          message_count: questions + answers,
          ai_response_count: answers,
        },
      }
    })
  }
}

const me = endpoint({
  summary: 'Who I am, and what I may still send today',
  answers: {
    200: {
      success: true,
      user: exampleUser,
      usage: { daily_messages_used: 1, daily_message_limit: 5, remaining_messages: 4 },
    },
  },
  failures: [401, 429],
})

const renaming = endpoint({
  summary: 'Change my name',
  asks: { body: NameBody },
  answers: { 200: { success: true, message: 'Profile updated successfully', user: exampleUser } },
  failures: [400, 401, 403, 429],
})

const statistics = endpoint({
  summary: 'What I have',
  answers: {
    200: { success: true, stats: { chatroom_count: 1, message_count: 2, ai_response_count: 1 } },
  },
  failures: [401, 429],
})
