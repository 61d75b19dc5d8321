import { errorBody } from '../../transport/errors.ts'
import type { Server } from '../../transport/server.ts'
import type { DialectParts } from '../parts.ts'
import * as entries from './entries.ts'
import * as jobs from './jobs.ts'
import { asks } from './schema.ts'

/** AI Content Generator, path for path, at the root. Its sign-in is with the others'; `job_completed` is the library's own. */
export function contentGeneratorRoutes(parts: DialectParts) {
  // biome-ignore format: a table
  return async (server: Server) => {
    server.post('/generate-content', asks.generate, async (request, reply) => reply.code(202).send(await jobs.generate(parts, request.identity.accountId, request.body)))
    server.get('/generate-content', asks.listJobs, request => jobs.listJobs(parts, request.identity.accountId))
    server.get('/generate-content/:jobId', asks.readJob, request => jobs.readJob(parts, request.identity.accountId, request.params.jobId))
    server.post('/generate-content/:jobId/save', asks.saveJob, async (request, reply) => {
      const saved = await jobs.saveJob(parts, request.identity.accountId, { ...request.params, title: request.body?.title })
      return saved.refusal ? reply.code(400).send({ ...errorBody(saved.refusal), currentStatus: saved.currentStatus }) : reply.code(201).send(saved)
    })

    server.get('/content', asks.listEntries, request => entries.listEntries(parts, request.identity.accountId, request.query.search))
    server.get('/content/:id', asks.readEntry, request => entries.readEntry(parts, request.identity.accountId, request.params.id))
    server.post('/content', asks.createEntry, async (request, reply) => reply.code(201).send(await entries.createEntry(parts, request.identity.accountId, request.body)))
    server.put('/content/:id', asks.updateEntry, request => entries.updateEntry(parts, request.identity.accountId, { ...request.body, ...request.params }))
    server.delete('/content/:id', asks.removeEntry, request => entries.removeEntry(parts, request.identity.accountId, request.params.id))
  }
}
