import type { ArtifactWithFiles } from '../../features/artifacts/index.ts'
import type { CodingAgentParts } from './parts.ts'
import { presentAbout, presentArtifact, presentRole, standing } from './present.ts'

const mostMessages = 1000

/** A numbered page, with the six keys of its pagination. */
export async function listConversations(
  { conversations }: CodingAgentParts,
  accountId: string,
  query: { page: number; limit: number; search?: string },
) {
  const { page, limit } = query
  const { rows, totalCount } = await conversations.listNumbered({ accountId, ...query })
  const totalPages = Math.ceil(totalCount / limit)
  return {
    conversations: rows.map(({ id, title, messageCount, lastMessage, createdAt, updatedAt }) => ({
      ...{ id, title, messageCount, createdAt, updatedAt },
      lastMessage: lastMessage && { ...lastMessage, role: presentRole(lastMessage.role) },
    })),
    pagination: { page, limit, totalCount, totalPages, hasNext: page < totalPages, hasPrev: page > 1 },
  }
}

/** A conversation with its messages, oldest first, and their artifacts. */
export async function readConversation(deps: CodingAgentParts, accountId: string, id: string) {
  const { conversation, messages } = await whole(deps, accountId, id)
  const { title, createdAt, updatedAt } = conversation
  return {
    conversation: {
      ...{ id: conversation.id, title, userId: accountId, createdAt, updatedAt },
      messages: messages.map(({ message, made }) => ({
        id: message.id,
        conversationId: conversation.id,
        role: presentRole(message.role),
        content: message.content,
        createdAt: message.createdAt,
        artifacts: made.map(artifact => presentArtifact(artifact, deps.links)),
      })),
    },
  }
}

async function whole({ conversations, artifacts }: CodingAgentParts, accountId: string, id: string) {
  const { conversation, messages } = await conversations.read({ accountId, id, limit: mostMessages })
  const rows = await artifacts.listWhole(
    accountId,
    messages.filter(message => message.artifacts.length > 0).map(message => message.id),
  )
  const byMessage = Map.groupBy(standing(rows), artifact => artifact.messageId)
  return {
    conversation,
    messages: messages.map(message => ({ message, made: byMessage.get(message.id) ?? [] })),
  }
}

/** Renames it; without a title it stays as it is. */
export async function renameConversation(
  { conversations }: CodingAgentParts,
  accountId: string,
  { id, title }: { id: string; title?: string | undefined },
) {
  const changed =
    title === undefined
      ? (await conversations.read({ accountId, id, limit: 1 })).conversation
      : await conversations.update(accountId, id, { title })
  const { createdAt, updatedAt, messageCount } = changed
  const shown = { id: changed.id, title: changed.title, createdAt, updatedAt }
  return {
    message: 'Conversation updated successfully',
    conversation: { ...shown, _count: { messages: messageCount } },
  }
}

export async function deleteConversation(deps: CodingAgentParts, accountId: string, id: string) {
  const { deletedArtifacts } = await deps.conversations.remove(accountId, id)
  return { message: 'Conversation deleted successfully', deletedArtifacts }
}

/** The whole conversation as an attachment: its name, its media type, and its body. */
export async function exportConversation(
  deps: CodingAgentParts,
  accountId: string,
  { id, format }: { id: string; format?: string | undefined },
) {
  const found = await whole(deps, accountId, id)
  const { conversation, messages } = found
  if (format === 'markdown') {
    const name = `conversation-${conversation.id}.md`
    return { name, type: 'text/markdown; charset=utf-8', body: markdown(conversation.title, messages) }
  }
  const { username, email } = await deps.accounts.read(accountId)
  const { title, createdAt, updatedAt } = conversation
  const body = {
    conversation: { id: conversation.id, title, createdAt, updatedAt, user: { username, email } },
    messages: messages.map(({ message, made }) => ({
      ...{ id: message.id, role: presentRole(message.role), content: message.content },
      createdAt: message.createdAt,
      artifacts: made.map(each => ({ ...presentAbout(each), downloadUrl: deps.links.file(each) })),
    })),
    exportedAt: new Date(),
  }
  const name = `conversation-${conversation.id}.json`
  return { name, type: 'application/json; charset=utf-8', body: JSON.stringify(body, null, 2) }
}

type WholeMessage = Awaited<ReturnType<typeof whole>>['messages'][number]

function markdown(title: string, messages: readonly WholeMessage[]): string {
  const parts = messages.map(({ message, made }) => {
    const who = message.role === 'user' ? 'You' : 'Assistant'
    const list = made.map((artifact: ArtifactWithFiles) => `- ${artifact.title} (${artifact.language})`)
    const artifacts = list.length > 0 ? `\n\nArtifacts:\n\n${list.join('\n')}` : ''
    return `## ${who}\n\n${message.content}${artifacts}\n`
  })
  return `# ${title}\n\n${parts.join('\n')}`
}
