import { largestCodeBytes } from '../../features/plugins/index.ts'
import type { Server } from '../../transport/server.ts'
import type { DialectParts } from '../parts.ts'
import * as plugins from './plugins.ts'
import { asks } from './schema.ts'

export { pluginSocket } from './socket.ts'

/** Secret Echo, path for path; its sign-in is with the others', its socket in socket.ts. */
export function secretEchoRoutes(parts: DialectParts) {
  return (server: Server) => server.register(routes(parts), { prefix: '/api/v1/plugin' })
}

function routes(parts: DialectParts) {
  // Code of 1 MB takes more as JSON.
  // biome-ignore format: a table
  return async (server: Server) => {
    server.post('/plugin-generator', asks.create, request => plugins.createPlugin(parts, request.identity.accountId, request.body))
    server.get('/plugin-generators', asks.list, request => plugins.listPlugins(parts, request.identity.accountId))
    server.get('/plugin-generator/chat-history', asks.history, request => plugins.readHistory(parts, request.identity.accountId, request.query))
    server.post('/plugin-generator/message', asks.addMessage, request => plugins.addMessage(parts, request.identity.accountId, request.body))
    server.post('/plugin-generator/save-plugin', { ...asks.savePlugin, bodyLimit: largestCodeBytes * 3 }, request => plugins.savePlugin(parts, request.identity.accountId, request.body))
  }
}
