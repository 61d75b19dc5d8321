import Type from 'typebox'
import { contentGenerator } from '../dialects.ts'
import { speak } from '../speech.ts'
import * as example from './examples.ts'

const endpoint = speak(contentGenerator)

const Text = (maxLength: number) => Type.String({ minLength: 1, maxLength, pattern: '\\S' })
const Title = Text(300)
const ContentType = Text(100)
const Body = Type.String({ minLength: 1, maxLength: 500_000 })
const JobParams = Type.Object({ jobId: Type.String({ maxLength: 200 }) })
const IdParams = Type.Object({ id: Type.String({ maxLength: 200 }) })
const signedIn = [401, 429]

/** What each path takes and gives, for the check of requests and the page at /docs. */
export const asks = {
  generate: endpoint({
    summary: 'Queue a text',
    description:
      'It begins after `delaySeconds`. Its end is told as `job_completed` on Socket.IO, also when it failed.',
    asks: {
      body: Type.Object(
        { prompt: Text(10_000), contentType: ContentType },
        { examples: [example.generateBody] },
      ),
    },
    answers: { 202: example.queued },
    failures: [400, 402, ...signedIn],
  }),
  listJobs: endpoint({
    summary: 'List the jobs',
    description: 'The newest 500, the newest first.',
    answers: { 200: example.jobs },
    failures: signedIn,
  }),
  readJob: endpoint({
    summary: 'Read a job',
    asks: { params: JobParams },
    answers: { 200: example.job },
    failures: [404, ...signedIn],
  }),
  saveJob: endpoint({
    summary: 'Keep the text of a job in the library',
    description: 'Exactly as it was written; twice gives the same entry.',
    asks: {
      params: JobParams,
      body: Type.Union([
        Type.Object({ title: Type.Optional(Title) }, { examples: [{ title: 'Coffee' }] }),
        Type.Null(),
      ]),
    },
    answers: { 201: example.saved },
    failures: [400, 404, ...signedIn],
  }),
  listEntries: endpoint({
    summary: 'List the library',
    description: 'The newest 500, the newest first; `search` looks in title, type and text.',
    asks: { querystring: Type.Object({ search: Type.Optional(Type.String({ maxLength: 200 })) }) },
    answers: { 200: example.entries },
    failures: [400, ...signedIn],
  }),
  readEntry: endpoint({
    summary: 'Read an entry',
    asks: { params: IdParams },
    answers: { 200: example.entry },
    failures: [404, ...signedIn],
  }),
  createEntry: endpoint({
    summary: 'Write an entry',
    asks: {
      body: Type.Object({ title: Title, type: ContentType, body: Body }, { examples: [example.entryBody] }),
    },
    answers: { 201: example.entry },
    failures: [400, ...signedIn],
  }),
  updateEntry: endpoint({
    summary: 'Change an entry',
    description: 'Its title, type and text; nothing else can be changed.',
    asks: {
      params: IdParams,
      body: Type.Object(
        { title: Type.Optional(Title), type: Type.Optional(ContentType), body: Type.Optional(Body) },
        { examples: [{ title: 'Better coffee' }] },
      ),
    },
    answers: { 200: example.entry },
    failures: [400, 404, ...signedIn],
  }),
  removeEntry: endpoint({
    summary: 'Delete an entry',
    asks: { params: IdParams },
    answers: { 200: example.removed },
    failures: [404, ...signedIn],
  }),
}
