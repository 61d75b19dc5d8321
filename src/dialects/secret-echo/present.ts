import type { Plugins } from '../../features/plugins/index.ts'

const prefix = 'plugin_'

/** Our id of a plugin as this API writes it. */
export function publishedId(id: string): string {
  return prefix + id
}

/** The id in a published one; an id without its prefix is taken as it is. */
export function ownId(published: string): string {
  return published.startsWith(prefix) ? published.slice(prefix.length) : published
}

/** The envelope of this API: all three keys on every answer. */
export function envelope<Data>(data: Data) {
  return { success: true as const, data, errors: [] as string[] }
}

type History = Awaited<ReturnType<Plugins['history']>>

/** One line of a chat; what was said and the code below it are two. */
export interface ChatLine {
  _id: string
  content: string
  sender: string
  timestamp: Date
}

/** The chat, oldest first, without the findings that our checks sent back to the model. */
export function chatOf(history: History): ChatLine[] {
  return history
    .filter(message => message.origin !== 'checks')
    .flatMap(({ id, sender, content, prose, code, createdAt, origin }) => {
      const isAnswer = origin === 'model' && code !== null
      const said = isAnswer ? [prose, code].filter(part => part.trim() !== '') : [content]
      return said
        .filter(part => part !== '')
        .map((part, at) => ({
          ...{ _id: at === 0 ? id : `${id}-${at}`, content: part, sender, timestamp: createdAt },
        }))
    })
}

/** The newest code of a chat, without fences; null when there is none. */
export function lastCodeOf(chat: readonly ChatLine[]): string | null {
  const line = chat.findLast(({ content }) => content.includes('<?php'))
  if (!line) return null
  const { content } = line
  const fenced = /```(?:php)?[^\n]*\n([\s\S]*?)(?:\n```|$)/.exec(content)?.[1]
  return fenced?.includes('<?php') ? fenced : content.slice(content.indexOf('<?php'))
}
