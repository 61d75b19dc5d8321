import { expect } from 'vitest'
import type { TestApp } from './app.ts'

/** One of everything that an account owns and that a path, a query or a body can name. */
export interface Things {
  conversation: string
  message: string
  reply: string
  generation: string
  artifact: string
  key: string
  entry: string
  job: string
  plugin: string
  session: string
}

/** What the id in a path names, by the beginning of the path; the first that fits. */
const inPaths: readonly [string, keyof Things][] = [
  ['/api/v1/conversations/', 'conversation'],
  ['/api/v1/generations/', 'generation'],
  ['/api/v1/artifacts/', 'artifact'],
  ['/api/v1/keys/', 'key'],
  ['/api/v1/library/', 'entry'],
  ['/api/v1/content/jobs/', 'job'],
  ['/api/v1/plugins/', 'plugin'],
  ['/api/v1/sessions/', 'session'],
  ['/api/chatroom/message/', 'message'],
  ['/api/chatroom/', 'conversation'],
  ['/api/conversations/', 'conversation'],
  ['/api/chat/regenerate/', 'reply'],
  ['/api/artifacts/', 'artifact'],
  ['/api/byok/key/', 'key'],
  ['/byok/key/', 'key'],
  ['/content/', 'entry'],
  ['/generate-content/', 'job'],
]

/** What the first id in a path names; undefined for a path that nobody has thought about. */
export function thingNamedBy(path: string): keyof Things | undefined {
  return inPaths.find(([start]) => path.startsWith(start))?.[1]
}

/** The path with an id in the place of its first name, and 1 in the places of those after it. */
export function pathTo(path: string, id: string): string {
  let isFirst = true
  return path.replace(/\{\w+\}/g, () => {
    const value = isFirst ? id : '1'
    isFirst = false
    return value
  })
}

/** Makes an account own one of everything. Its answers come from the sandbox, or from a provider that was told what to say. */
export async function makeThings(server: TestApp, token: string): Promise<Things> {
  const make = async (path: string, body: object) => {
    const answer = await server.call('POST', `/api/v1${path}`, { token, body })
    expect([path, answer.status < 300], answer.text).toEqual([path, true])
    return answer.body.data
  }
  const asked = { message: 'Create a React button component', stream: false }
  const { generation } = await make('/generations', asked)
  const { conversationId, messageId, replyId } = generation
  const read = await server.call('GET', `/api/v1/conversations/${conversationId}`, { token })
  const artifact: string = read.body.data.messages.at(-1).artifacts[0].id
  const { key } = await make('/keys', {
    provider: 'gemini',
    name: 'Mine',
    apiKey: 'a-key-of-nobody-0123456789abcdef',
  })
  // It would pay for what is asked from here on, and nobody would answer.
  await server.call('PATCH', `/api/v1/keys/${key.id}`, { token, body: { isActive: false } })
  const { entry } = await make('/library', { title: 'A title', type: 'blog-post', body: 'A body' })
  const { job } = await make('/content/jobs', {
    prompt: 'A prompt',
    contentType: 'email',
    scheduledFor: new Date(Date.now() + 3_600_000).toISOString(),
  })
  const { plugin } = await make('/plugins', { name: 'Gift wrapping' })
  await make(`/plugins/${plugin.id}/versions`, { code: '<?php\n/* Plugin Name: Gift wrapping */\n' })
  const sessions = await server.call('GET', '/api/v1/sessions', { token })
  return {
    conversation: conversationId,
    message: messageId,
    reply: replyId,
    generation: generation.id,
    artifact,
    key: key.id,
    entry: entry.id,
    job: job.id,
    plugin: plugin.id,
    session: sessions.body.data.sessions[0].id,
  }
}
