import type { Artifacts } from '../artifacts/index.ts'
import type { Conversation, Message } from './store.ts'

/** A message with the code that it made. */
export type ExportedMessage = Omit<Message, 'generationId'> & { artifacts: ExportedArtifact[] }

/** A thing that was made, with a link that holds for an hour. */
export interface ExportedArtifact {
  id: string
  title: string
  language: string
  type: string
  version: number
  fileSize: number
  downloadUrl: string
  createdAt: Date
}

/** A whole conversation as people take it with them. */
export interface ConversationExport {
  conversation: Conversation
  messages: ExportedMessage[]
  exportedAt: Date
}

/** Puts messages and artifacts together; download links are made anew. */
export async function exportOf(
  artifacts: Artifacts,
  accountId: string,
  { conversation, rows }: { conversation: Conversation; rows: readonly Message[] },
): Promise<ConversationExport> {
  const byMessage = new Map<string, ExportedArtifact[]>()
  for (const artifact of await artifacts.listByConversation(accountId, conversation.id)) {
    const { id, title, language, type, version, size: fileSize, createdAt, messageId } = artifact
    const { url: downloadUrl } = await artifacts.download(accountId, id)
    const list = byMessage.get(messageId) ?? []
    list.push({ id, title, language, type, version, fileSize, downloadUrl, createdAt })
    byMessage.set(messageId, list)
  }
  const messages = rows.map(({ generationId: _, ...message }) => ({
    ...message,
    artifacts: byMessage.get(message.id) ?? [],
  }))
  return { conversation, messages, exportedAt: new Date() }
}

/** The conversation as one Markdown page: its title, and each message under who wrote it. */
export function markdownOf({ conversation, messages, exportedAt }: ConversationExport): string {
  const parts = [
    `# ${oneLine(conversation.title)}`,
    `${messages.length} messages · exported ${exportedAt.toISOString()}`,
    ...messages.map(message => {
      const made = message.artifacts.map(
        artifact => `- ${oneLine(artifact.title)} (${artifact.language}, version ${artifact.version})`,
      )
      const who = message.role === 'user' ? 'You' : 'Assistant'
      return [`## ${who} · ${message.createdAt.toISOString()}`, message.content, made.join('\n')]
        .filter(Boolean)
        .join('\n\n')
    }),
  ]
  return `${parts.join('\n\n')}\n`
}

function oneLine(text: string): string {
  return text.replaceAll(/[\p{C}\p{Zl}\p{Zp}\s]+/gu, ' ').trim()
}
