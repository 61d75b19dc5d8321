import Type from 'typebox'
import { attachment } from '../../platform/files/index.ts'
import { failures, ok, success } from '../../transport/envelope.ts'
import type { Server } from '../../transport/server.ts'
import type { Library } from './index.ts'
import { presentEntry } from './present.ts'
import { CreateBody, EntriesQuery, EntryView, ExportQuery, IdParams, UpdateBody } from './schema.ts'

const tags = ['Library']
const OneEntry = success(Type.Object({ entry: EntryView }))

/** /library: what was kept. */
export function libraryRoutes(library: Library) {
  return async (server: Server) => {
    listRoutes(server, library)
    entryRoutes(server, library)
  }
}

function listRoutes(server: Server, library: Library): void {
  server.get(
    '/library',
    {
      schema: {
        tags,
        summary: 'List or search the library',
        description:
          'Newest first. Page with `cursor`; `search` looks in title, type and body, whatever the case.',
        querystring: EntriesQuery,
        response: {
          200: success(
            Type.Object({
              entries: Type.Array(EntryView),
              nextCursor: Type.Union([Type.String(), Type.Null()]),
            }),
          ),
          ...failures(400, 401),
        },
      },
    },
    async request => {
      const page = await library.listEntries({ accountId: request.identity.accountId, ...request.query })
      const entries = page.entries.map(entry => {
        const body = entry.body.slice(0, 400).replace(/[\ud800-\udbff]$/, '')
        return presentEntry({ ...entry, body })
      })
      return ok({ entries, nextCursor: page.nextCursor })
    },
  )
  server.post(
    '/library',
    {
      schema: {
        tags,
        summary: 'Add an entry',
        description: 'Something that a person wrote. Results of jobs: POST /content/jobs/{id}/save.',
        body: CreateBody,
        response: { 201: OneEntry, ...failures(400, 401, 413) },
      },
    },
    async (request, reply) => {
      const entry = await library.createEntry({ ...request.body, accountId: request.identity.accountId })
      reply.code(201)
      return ok({ entry: presentEntry(entry) })
    },
  )
}

function entryRoutes(server: Server, library: Library): void {
  server.get(
    '/library/:id',
    {
      schema: {
        tags,
        summary: 'Read an entry',
        description: 'With its whole body and where it came from.',
        params: IdParams,
        response: { 200: OneEntry, ...failures(401, 404) },
      },
    },
    async request =>
      ok({ entry: presentEntry(await library.readEntry(request.identity.accountId, request.params.id)) }),
  )
  server.patch(
    '/library/:id',
    {
      schema: {
        tags,
        summary: 'Edit an entry',
        description:
          'Only title, type and body can be changed. With `version`, an edit of an older version is refused: 409 EDITED_MEANWHILE.',
        params: IdParams,
        body: UpdateBody,
        response: { 200: OneEntry, ...failures(400, 401, 404, 409, 413) },
      },
    },
    async request => {
      const { accountId } = request.identity
      const { title, type, body, version } = request.body
      const change = { accountId, id: request.params.id, title, type, body, version }
      return ok({ entry: presentEntry(await library.updateEntry(change)) })
    },
  )
  server.delete(
    '/library/:id',
    {
      schema: {
        tags,
        summary: 'Delete an entry',
        params: IdParams,
        response: { 200: success(Type.Object({})), ...failures(401, 404) },
      },
    },
    async request => {
      await library.deleteEntry(request.identity.accountId, request.params.id)
      return ok({})
    },
  )
  server.get(
    '/library/:id/export',
    {
      schema: {
        tags,
        summary: 'Download an entry',
        description:
          '`markdown`: the body as it is. `html`: a page made of it, in which HTML of the body is shown as text. 422 TOO_COMPLEX when that takes too long.',
        params: IdParams,
        querystring: ExportQuery,
        response: { 200: Type.String({ description: 'The file.' }), ...failures(400, 401, 404, 422) },
      },
    },
    async (request, reply) => {
      const { accountId } = request.identity
      const file = await library.exportEntry(accountId, request.params.id, request.query.format)
      return reply
        .type(file.contentType)
        .headers({
          'content-disposition': attachment(file.name),
          'x-content-type-options': 'nosniff',
          'content-security-policy': "default-src 'none'; sandbox",
        })
        .send(file.content)
    },
  )
}
