import type { FastifyRequest } from 'fastify'
import Type, { type TSchema } from 'typebox'
import { invalidField } from '../../lib/errors.ts'
import { untilGone } from '../../transport/auth.ts'
import { eventsOr, failures, ok, success } from '../../transport/envelope.ts'
import type { Server } from '../../transport/server.ts'
import { sendEvents } from '../../transport/sse.ts'
import { deliver, submission } from './deliver.ts'
import { type Generations, presentGeneration } from './index.ts'
import {
  AgainBody,
  EventsPage,
  EventsQuery,
  FinishedView,
  GenerationView,
  IdParams,
  JobView,
  QueueView,
  StartBody,
  StartedView,
  SubmitHeaders,
} from './schema.ts'

const tags = ['Generations']
const OneGeneration = Type.Object({ generation: GenerationView })

const startResponses: Record<number, TSchema> = {
  200: eventsOr(
    success(FinishedView),
    'The log as events (default), or the finished answer with `stream: false`.',
  ),
  202: { ...success(StartedView), description: '`background: true`: stored, and running.' },
  ...failures(400, 401, 404, 409, 422, 429, 502, 503),
}

const eventsResponses: Record<number, TSchema> = {
  200: eventsOr(success(EventsPage), 'Events after the position.'),
  ...failures(400, 401, 404),
}

/** POST /generations, and everything about one generation. */
export function generationRoutes(generations: Generations) {
  return async (server: Server) => {
    server.post(
      '/generations',
      {
        schema: {
          tags,
          summary: 'Ask, and get an answer',
          description:
            'Stores the message (in a new conversation unless `conversationId` is given) and runs the model. ' +
            'Events carry a rising `seq`; come back to GET /generations/{id}/events with it to miss nothing.',
          headers: SubmitHeaders,
          body: StartBody,
          response: startResponses,
        },
      },
      async (request, reply) => {
        const { stream, background, ...asked } = request.body
        const { accountId } = request.identity
        const started = await generations.start({ ...asked, ...submission(request), accountId, kind: 'chat' })
        return deliver(generations, { request, reply, started, asked: request.body })
      },
    )
    for (const how of ['continue', 'regenerate'] as const) {
      server.post(
        `/generations/:id/${how}`,
        {
          schema: {
            tags,
            summary: how === 'continue' ? 'Go on with a cut answer' : 'Answer the last question once more',
            description:
              how === 'continue'
                ? 'For answers that were interrupted, cancelled or cut by their length. The same reply grows.'
                : 'The earlier answer is kept as an older version. Answers as POST /generations.',
            params: IdParams,
            headers: SubmitHeaders,
            body: AgainBody,
            response: startResponses,
          },
        },
        async (request, reply) => {
          const { stream, background, ...asked } = request.body ?? {}
          const { accountId } = request.identity
          const generationId = request.params.id
          const started = await generations[how]({
            ...asked,
            ...submission(request),
            accountId,
            generationId,
          })
          return deliver(generations, { request, reply, started, asked: request.body ?? {} })
        },
      )
    }
    server.get(
      '/generations/:id',
      {
        schema: {
          tags,
          summary: 'Read a generation',
          params: IdParams,
          response: { 200: success(OneGeneration), ...failures(401, 404) },
        },
      },
      async request => {
        const generation = await generations.read(request.identity.accountId, request.params.id)
        return ok({ generation: presentGeneration(generation) })
      },
    )
    server.get(
      '/generations/:id/events',
      {
        schema: {
          tags,
          summary: 'Follow a generation',
          description:
            'With `Accept: text/event-stream` or a `Last-Event-ID` header: server-sent events from that position to the ' +
            'end. Otherwise what there is now, as JSON; ask again with `after=lastSeq` until `done`.',
          params: IdParams,
          querystring: EventsQuery,
          response: eventsResponses,
        },
      },
      async (request, reply) => {
        const { accountId } = request.identity
        const { id } = request.params
        const after = positionOf(request, request.query.after)
        if (!wantsEvents(request)) return ok(await generations.poll(accountId, id, after))
        await sendEvents(
          reply,
          await generations.follow({ accountId, id, after, signal: untilGone(request, reply) }),
        )
        return reply
      },
    )
    server.post(
      '/generations/:id/cancel',
      {
        schema: {
          tags,
          summary: 'Stop a generation',
          description: 'What it wrote stays. A generation that has ended is answered as it is.',
          params: IdParams,
          response: { 200: success(OneGeneration), ...failures(401, 404) },
        },
      },
      async request => {
        const generation = await generations.cancel(request.identity.accountId, request.params.id)
        return ok({ generation: presentGeneration(generation) })
      },
    )
    jobRoutes(server, generations)
  }
}

/** What the queue knows: of one generation for its account, of all work for administrators. */
function jobRoutes(server: Server, generations: Generations): void {
  server.get(
    '/generations/:id/job',
    {
      schema: {
        tags,
        summary: 'See how a queued generation is doing',
        description:
          'Tries, progress, and why the last one failed. Known for a day after its end; 404 for what was not queued.',
        params: IdParams,
        response: { 200: success(Type.Object({ job: JobView })), ...failures(401, 404, 503) },
      },
    },
    async request => ok({ job: await generations.readJob(request.identity.accountId, request.params.id) }),
  )
  server.get(
    '/admin/queue',
    {
      config: { auth: 'admin' },
      schema: {
        tags: ['Administration'],
        summary: 'See how much queued work there is',
        response: { 200: success(Type.Object({ queue: QueueView })), ...failures(401, 403, 503) },
      },
    },
    async () => ok({ queue: await generations.queueCounts() }),
  )
}

function wantsEvents(request: FastifyRequest): boolean {
  return (
    request.headers['last-event-id'] !== undefined ||
    (request.headers.accept ?? '').includes('text/event-stream')
  )
}

/** The position to go on from: the header of a reconnecting EventSource beats the query. */
function positionOf(request: FastifyRequest, after: number | undefined): number {
  const header = request.headers['last-event-id']
  if (header === undefined || header === '') return after ?? 0
  if (typeof header !== 'string' || !/^\d{1,15}$/.test(header)) {
    throw invalidField('Last-Event-ID', 'must be the id of an event: a whole number')
  }
  return Number(header)
}
