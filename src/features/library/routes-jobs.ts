import Type from 'typebox'
import { failures, ok, success } from '../../transport/envelope.ts'
import type { Server } from '../../transport/server.ts'
import type { Job, Library } from './index.ts'
import { presentEntry } from './present.ts'
import { EntryView, IdParams, JobsQuery, JobView, RequestBody, SaveBody, TypeView } from './schema.ts'

const tags = ['Content']
const OneJob = success(Type.Object({ job: JobView }))

function present(job: Job): JobView {
  const { updatedAt: _, scheduledFor, createdAt, startedAt, finishedAt, ...rest } = job
  return {
    ...rest,
    scheduledFor: scheduledFor.toISOString(),
    createdAt: createdAt.toISOString(),
    startedAt: startedAt?.toISOString() ?? null,
    finishedAt: finishedAt?.toISOString() ?? null,
  }
}

/** /content: what can be written, and the jobs that write it. */
export function contentRoutes(library: Library) {
  return async (server: Server) => {
    askingRoutes(server, library)
    jobRoutes(server, library)
  }
}

function askingRoutes(server: Server, library: Library): void {
  server.get(
    '/content/types',
    {
      schema: {
        tags,
        summary: 'List the types of content',
        description: 'With what short, medium and long mean for each.',
        response: { 200: success(Type.Object({ types: Type.Array(TypeView) })), ...failures(401) },
      },
    },
    async () => ok({ types: library.types.map(({ slug, name, lengths }) => ({ slug, name, lengths })) }),
  )
  server.post(
    '/content/jobs',
    {
      schema: {
        tags,
        summary: 'Ask for a piece of content',
        description:
          'Queued, run by a worker, tried again when the provider fails or a server dies. Its end is told on Socket.IO as `job_completed`. With an `Idempotency-Key` the same request is queued once.',
        headers: Type.Object({ 'idempotency-key': Type.Optional(Type.String()) }),
        body: RequestBody,
        response: { 202: OneJob, ...failures(400, 401, 402, 422, 429, 503) },
      },
    },
    async (request, reply) => {
      const { accountId } = request.identity
      const idempotencyKey = request.headers['idempotency-key']
      const job = await library.requestContent({ ...request.body, accountId, idempotencyKey })
      reply.code(202)
      return ok({ job: present(job) })
    },
  )
  server.get(
    '/content/jobs',
    {
      schema: {
        tags,
        summary: 'List content jobs',
        description: 'Newest first. Page with `cursor`.',
        querystring: JobsQuery,
        response: {
          200: success(
            Type.Object({
              jobs: Type.Array(JobView),
              nextCursor: Type.Union([Type.String(), Type.Null()]),
            }),
          ),
          ...failures(400, 401),
        },
      },
    },
    async request => {
      const page = await library.listJobs({ accountId: request.identity.accountId, ...request.query })
      const jobs = page.jobs.map(job => present({ ...job, text: excerpt(job.text) }))
      return ok({ jobs, nextCursor: page.nextCursor })
    },
  )
}

/** The beginning of a text, never half a character. */
function excerpt(text: string): string {
  return text.slice(0, 400).replace(/[\ud800-\udbff]$/, '')
}

function jobRoutes(server: Server, library: Library): void {
  const oneJob = (summary: string, description: string, ...refusals: readonly number[]) => ({
    schema: {
      tags,
      summary,
      description,
      params: IdParams,
      response: { 200: OneJob, ...failures(...refusals) },
    },
  })
  server.get(
    '/content/jobs/:id',
    oneJob('Read a content job', 'With everything that is written so far.', 401, 404),
    async request =>
      ok({ job: present(await library.readJob(request.identity.accountId, request.params.id)) }),
  )
  server.post(
    '/content/jobs/:id/cancel',
    oneJob(
      'Cancel a content job',
      'What is written stays. A job that has ended is answered as it is.',
      401,
      404,
    ),
    async request =>
      ok({ job: present(await library.cancelJob(request.identity.accountId, request.params.id)) }),
  )
  server.post(
    '/content/jobs/:id/retry',
    oneJob(
      'Try a content job again',
      'Only one that failed or was cancelled: 409 JOB_NOT_FAILED otherwise. The job is answered as it is then: queued, or running where a worker was free.',
      ...[401, 402, 404, 409, 429, 503],
    ),
    async request =>
      ok({ job: present(await library.retryJob(request.identity.accountId, request.params.id)) }),
  )
  server.post(
    '/content/jobs/:id/save',
    {
      schema: {
        tags,
        summary: 'Save a result to the library',
        description:
          'Exactly as it was written. Saving it again answers with the same entry. 409 JOB_NOT_COMPLETED before the end.',
        params: IdParams,
        body: SaveBody,
        response: { 201: success(Type.Object({ entry: EntryView })), ...failures(400, 401, 404, 409) },
      },
    },
    async (request, reply) => {
      const { accountId } = request.identity
      const { title } = request.body
      const entry = await library.saveResult({ accountId, jobId: request.params.id, title })
      reply.code(201)
      return ok({ entry: presentEntry(entry) })
    },
  )
  server.delete(
    '/content/jobs/:id',
    {
      schema: {
        tags,
        summary: 'Delete a content job',
        description: 'A running one is stopped first. What was saved of it stays in the library.',
        params: IdParams,
        response: { 200: success(Type.Object({})), ...failures(401, 404) },
      },
    },
    async request => {
      await library.removeJob(request.identity.accountId, request.params.id)
      return ok({})
    },
  )
}
