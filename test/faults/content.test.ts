import { describe, expect, inject, test } from 'vitest'
import { openIo, type TestIo } from '../support/sockets.ts'
import { audit, query } from './audit.ts'
import { call, type Json, until } from './client.ts'
import { Report } from './report.ts'
import { type Mode, openWorld } from './worlds.ts'

/** Every end of a job that a client was told. */
const endsOf = (io: TestIo, jobId: string): Json[] =>
  io.told
    .filter(({ event, payload }) => event === 'job_completed' && payload.jobId === jobId)
    .map(({ payload }) => payload)

/** Kills what writes a content job in the middle of it, and looks at all that must hold of it afterwards. */
async function killWhileWriting(mode: Mode): Promise<void> {
  const report = new Report(`a content job whose ${mode === 'embedded' ? 'server' : 'worker'} is killed`)
  const world = await openWorld(mode, { report, people: 1 })
  const { stage, source, worker } = world
  const [server] = world.servers
  const [person] = world.people
  if (!server || !person) throw new Error('a world without a server or people')
  try {
    const text = Array.from({ length: 600 }, (_, index) => `word${index}`).join(' ')
    await stage.provider.script({ text, intervalMs: 20 })
    const before = await openIo(server.url, { auth: { token: person.token } })
    const body = { prompt: 'a long story', contentType: 'blog-post' }
    const { job } = await call(server.url, { path: '/content/jobs', person, body })
    const read = async (): Promise<Json> =>
      (await call(server.url, { path: `/content/jobs/${job.id}`, person })).job
    await until(async () => (await read()).text.length > 100, 'a part of the text was stored')

    const victim = worker ?? server
    const isCut = new Promise(resolve => before.socket.once('disconnect', resolve))
    await stage.provider.script({ text, intervalMs: 1 })
    await victim.kill()
    expect(endsOf(before, job.id)).toEqual([])
    // Where a worker died, the client stays, and goes away by itself before the end.
    if (worker) before.close()
    await isCut
    await victim.restart()
    await until(async () => (await read()).finishedAt !== null, 'the job ended')
    expect(await read()).toMatchObject({ status: 'completed', text, attempts: 2, finishReason: 'stop' })

    const back = await openIo(server.url, { auth: { token: person.token, since: 0 } })
    const told = await back.hear('job_completed', notice => notice.jobId === job.id)
    expect(told).toMatchObject({ status: 'completed', generatedContent: text })
    const next = (await call(server.url, { path: '/content/jobs', person, body })).job
    const { seq } = await back.hear('job_completed', notice => notice.jobId === next.id)
    expect(endsOf(back, job.id)).toEqual([told])
    back.close()
    const again = await openIo(server.url, { auth: { token: person.token, since: told.seq } })
    expect((await again.hear('job_completed')).seq).toBe(seq)
    expect(endsOf(again, job.id)).toEqual([])
    again.close()

    const rows = await query<{ answers: number; settles: number; notices: number }>(
      source,
      `select (select count(*)::int from messages where conversation_id = $1 and role = 'assistant') as answers,
         (select count(*)::int from ledger_entries where generation_id = $2 and kind = 'settle') as settles,
         (select count(*)::int from content_notices where job_id = $1) as notices`,
      [job.id, job.generationId],
    )
    expect(rows).toEqual([{ answers: 1, settles: 1, notices: 1 }])
    await audit(source, report)
    expect(stage.bugs()).toEqual([])
  } finally {
    await stage.close()
  }
  expect(report.failures).toEqual([])
}

test(
  'a content job whose server is killed ends once: one answer, one charge, one word of it for who comes back',
  { timeout: 120_000 },
  () => killWhileWriting('embedded'),
)

describe.skipIf(!inject('machine').redis)('with a worker of its own', () => {
  test('a killed worker changes nothing of that', { timeout: 180_000 }, () => killWhileWriting('distributed'))
})
