import type { Server } from '../../transport/server.ts'
import { codingAgent } from '../dialects.ts'
import type { DialectParts } from '../parts.ts'
import { spoken } from '../speech.ts'
import * as artifacts from './artifacts.ts'
import * as chat from './chat.ts'
import * as conversations from './conversations.ts'
import { createLinks } from './links.ts'
import type { CodingAgentParts } from './parts.ts'
import { asks } from './schema.ts'

/** AI Coding Agent, path for path. */
export function codingAgentRoutes(parts: DialectParts) {
  const key = `coding-agent:${parts.linkKey}`
  const links = createLinks(parts.artifacts, { key, publicUrl: parts.publicUrl })
  return (server: Server) => server.register(routes({ ...parts, links }), { prefix: '/api' })
}

function routes(deps: CodingAgentParts) {
  const { links } = deps
  // biome-ignore format: a table
  return async (server: Server) => {
    server.addHook('onRoute', spoken(codingAgent))
    server.post('/chat/send', asks.send, (request, reply) => chat.send(deps, request.body, { request, reply, wish: request.body }))
    server.post('/chat/regenerate/:messageId', asks.regenerate, (request, reply) => chat.regenerate(deps, request.params.messageId, { request, reply, wish: request.body ?? {} }))

    server.get('/conversations', asks.listConversations, request => conversations.listConversations(deps, request.identity.accountId, request.query))
    server.get('/conversations/:id', asks.readConversation, request => conversations.readConversation(deps, request.identity.accountId, request.params.id))
    server.put('/conversations/:id', asks.renameConversation, request => conversations.renameConversation(deps, request.identity.accountId, { ...request.body, ...request.params }))
    server.delete('/conversations/:id', asks.deleteConversation, request => conversations.deleteConversation(deps, request.identity.accountId, request.params.id))
    server.get('/conversations/:id/export', asks.exportConversation, async (request, reply) => {
      const { name, type, body } = await conversations.exportConversation(deps, request.identity.accountId, { ...request.query, ...request.params })
      return reply.headers({ 'content-type': type, 'content-disposition': `attachment; filename="${name}"` }).send(body)
    })

    server.get('/artifacts/:id', asks.readArtifact, request => artifacts.readArtifact(deps, request.identity.accountId, request.params.id))
    server.get('/artifacts/:id/code', asks.readCode, request => artifacts.readCode(deps, request.identity.accountId, request.params.id))
    server.get('/artifacts/:id/download', asks.download, (request, reply) => artifacts.download(deps, { request, reply, id: request.params.id }))
    server.get('/artifacts/:id/preview', asks.preview, (request, reply) => artifacts.preview(deps, { request, reply, id: request.params.id }))
    server.post('/artifacts/:id/build', asks.build, (request, reply) => artifacts.build(deps, { request, reply, id: request.params.id }))
    server.post('/artifacts/:id/bundle', asks.build, (request, reply) => artifacts.bundle(deps, { request, reply, id: request.params.id }))
    server.get('/artifacts/:id/project', asks.readProject, request => artifacts.readProject(deps, request.identity.accountId, request.params.id))
    server.post('/artifacts/:id/build-project', asks.build, (request, reply) => artifacts.build(deps, { request, reply, id: request.params.id }))
    server.get('/artifacts/:id/project-preview', asks.preview, (request, reply) => artifacts.preview(deps, { request, reply, id: request.params.id }))
    server.delete('/artifacts/:id', asks.deleteArtifact, request => artifacts.deleteArtifact(deps, request.identity.accountId, request.params.id))

    server.get('/artifacts/open/:token', asks.openLink, async (request, reply) => reply.header('referrer-policy', 'no-referrer').redirect(await links.open(request.params.token)))
  }
}
