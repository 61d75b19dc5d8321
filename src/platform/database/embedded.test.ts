import { spawn } from 'node:child_process'
import { chmod, chown, cp, mkdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import pg from 'pg'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import {
  type DatabaseProcess,
  isRunning,
  type Ready,
  startDatabaseProcess,
} from '../../../test/support/database-process.ts'
import { makeTestFolder, removeTestFolder } from '../../../test/support/folder.ts'
import { isOpenToOthers, isRoot } from '../../../test/support/machine.ts'

/** The users `daemon` and `bin`, which every Linux has. */
const ordinary = { uid: 1, gid: 1 }
const stranger = { uid: 2, gid: 2 }

let folder: string
let dataDir: string
const processes: DatabaseProcess[] = []
const postmasters = new Set<number>()

beforeEach(async () => {
  folder = await makeTestFolder('embedded')
  dataDir = join(folder, 'data')
})

afterEach(async () => {
  for (const each of processes.splice(0)) {
    await each.kill()
    postmasters.add(await postmasterOf(each))
  }
  for (const notOurs of [0, process.pid]) postmasters.delete(notOurs)
  for (const pid of postmasters) {
    if (isRunning(pid)) process.kill(pid, 'SIGINT')
    await vi.waitFor(() => expect(isRunning(pid)).toBe(false), { timeout: 10_000, interval: 10 })
  }
  postmasters.clear()
  await removeTestFolder(folder)
})

/** Whom the pid file names now; 0 for nobody. */
async function postmasterOf(each: DatabaseProcess): Promise<number> {
  const text = await readFile(join(each.ready.cluster, 'postmaster.pid'), 'utf8').catch(() => '0')
  return Number.parseInt(text, 10) || 0
}

async function start(path = dataDir, user: { uid?: number; gid?: number } = {}): Promise<DatabaseProcess> {
  const started = await startDatabaseProcess(path, user)
  processes.push(started)
  postmasters.add(started.ready.postmaster)
  return started
}

/** Adopted processes are nobody's children here, so their end is seen a little later. */
const hasEnded = (pid: number) =>
  vi.waitFor(() => expect(isRunning(pid)).toBe(false), { timeout: 5_000, interval: 5 })

const marksOf = async (each: DatabaseProcess) => (await each.ask<{ marks?: string[] }>('read')).marks

test('a new database keeps its rows, and stops with the one who started it', async () => {
  const first = await start()
  await first.ask('insert one')
  await first.close()
  await hasEnded(first.ready.postmaster)
  const second = await start()
  expect(await marksOf(second)).toEqual(['one'])
  await second.close()
})

test('nobody else gets to the data, the socket or the password', async () => {
  const { ready } = await start()
  for (const path of [ready.cluster, ready.socket]) expect((await stat(path)).mode & 0o777).toBe(0o700)
  expect((await stat(join(ready.cluster, 'atelier.password'))).mode & 0o777).toBe(0o600)
  expect((await stat(dataDir)).mode & 0o007).toBe(0)
  const status = await readFile(join(ready.cluster, 'postmaster.pid'), 'utf8')
  // The sixth line is the address that it listens on besides the socket.
  expect(status.split('\n')[5]).toBe('')
})

test('a killed server leaves its Postgres running; the next one adopts it', async () => {
  const first = await start()
  await first.ask('insert kept')
  await first.kill()
  expect(isRunning(first.ready.postmaster)).toBe(true)
  const second = await start()
  expect(second.ready.postmaster).toBe(first.ready.postmaster)
  expect(await marksOf(second)).toEqual(['kept'])
  await second.close()
  await hasEnded(first.ready.postmaster)
})

test('a killed server and a killed Postgres: the next start recovers every acknowledged row', async () => {
  const first = await start()
  for (let number = 10; number < 30; number++) await first.ask(`insert ${number}`)
  await first.kill()
  process.kill(first.ready.postmaster, 'SIGKILL')
  const second = await start()
  expect(await marksOf(second)).toHaveLength(20)
})

test('lock files left behind that name a stranger do not stop the start', async () => {
  const first = await start()
  await first.ask('insert safe')
  const locks = ['postmaster.pid', '.s.PGSQL.5432.lock'].map(name => join(first.ready.cluster, name))
  const left = await Promise.all(locks.map(path => readFile(path, 'utf8')))
  await first.close()
  // A stranger of the same user, as after the restart of a container.
  const { uid, gid } = await stat(first.ready.cluster)
  const neighbour = spawn('sleep', ['60'], { uid, gid })
  try {
    for (const [index, path] of locks.entries()) {
      await writeFile(path, left[index]?.replace(/^\d+/, String(neighbour.pid)) ?? '')
      if (isRoot) await chown(path, uid, gid)
    }
    const second = await start()
    expect(await marksOf(second)).toEqual(['safe'])
    expect(second.ready.startMs).toBeLessThan(5_000)
  } finally {
    neighbour.kill()
  }
})

test('a backend killed in the middle: everything is back in a moment, on the same Postgres', async () => {
  const server = await start()
  await server.ask('insert before')
  const client = new pg.Client(server.ready.url)
  client.on('error', () => {})
  await client.connect()
  const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid')
  process.kill(rows[0]?.pid ?? 0, 'SIGKILL')
  await vi.waitFor(async () => expect(await marksOf(server)).toEqual(['before']), {
    timeout: 10_000,
    interval: 5,
  })
  expect(await postmasterOf(server)).toBe(server.ready.postmaster)
  await server.close()
  await hasEnded(server.ready.postmaster)
})

test('a second server through a link shares the one Postgres; the last one out stops it', async () => {
  const first = await start()
  const other = join(folder, 'link')
  await symlink(dataDir, other)
  const second = await start(other)
  expect(second.ready.postmaster).toBe(first.ready.postmaster)
  await first.ask('insert shared')
  await first.close()
  expect(await marksOf(second)).toEqual(['shared'])
  await second.close()
  await hasEnded(first.ready.postmaster)
})

test('servers that start together on an empty folder agree on one database', async () => {
  const all = await Promise.all([start(), start(), start()])
  expect(new Set(all.map(each => each.ready.postmaster)).size).toBe(1)
  await Promise.all(all.map((each, index) => each.ask(`insert ${index}`)))
  expect(await marksOf(all[0] as DatabaseProcess)).toEqual(['0', '1', '2'])
})

test('servers that stop and start at the same time never lose the database', async () => {
  let current = await start()
  for (let round = 0; round < 4; round++) {
    const [next] = await Promise.all([start(), current.ask(`insert ${round}`).then(() => current.close())])
    current = next
  }
  expect(await marksOf(current)).toEqual(['0', '1', '2', '3'])
})

test('Postgres itself killed: unavailable for a moment, then back with its rows', async () => {
  const server = await start()
  await server.ask('insert before')
  process.kill(server.ready.postmaster, 'SIGKILL')
  const answers = new Set<string>()
  await vi.waitFor(
    async () => {
      answers.add((await server.ask<{ ping: string }>('ping')).ping)
      expect(await postmasterOf(server)).not.toBe(server.ready.postmaster)
      expect((await server.ask<{ ping: string }>('ping')).ping).toBe('ok')
    },
    { timeout: 20_000, interval: 5 },
  )
  for (const answer of answers) expect(['ok', 'DATABASE_UNAVAILABLE']).toContain(answer)
  expect(await marksOf(server)).toEqual(['before'])
})

test('a data folder whose path is too long for a socket', async () => {
  const server = await start(join(folder, 'long'.repeat(30)))
  expect(server.ready.socket.length).toBeLessThan(90)
  await server.ask('insert far')
  await server.close()
  await expect(stat(server.ready.socket)).rejects.toThrow('ENOENT')
})

test('a copy of the folder of a running server is a database of its own', async () => {
  const first = await start()
  await first.ask('insert both')
  const copy = join(folder, 'copy')
  // As root would restore it: everything belongs to root afterwards.
  await cp(dataDir, copy, { recursive: true, filter: async path => !(await stat(path)).isSocket() })
  await chmod(copy, 0o700)
  const second = await start(copy)
  expect(second.ready.postmaster).not.toBe(first.ready.postmaster)
  await second.ask('insert copy')
  expect(await marksOf(second)).toEqual(['both', 'copy'])
  expect(await marksOf(first)).toEqual(['both'])
  await second.close()
  expect(await marksOf(first)).toEqual(['both'])
})

const isForOthers = isRoot && isOpenToOthers
test.runIf(isForOthers)(
  'an ordinary user runs it as himself, and a stranger is refused at once',
  async () => {
    await mkdir(dataDir, { mode: 0o700 })
    await chown(dataDir, ordinary.uid, ordinary.gid)
    const own = await start(dataDir, ordinary)
    await own.ask('insert mine')
    expect((await stat(own.ready.cluster)).uid).toBe(ordinary.uid)
    await chmod(dataDir, 0o755)
    await expect(start(dataDir, stranger)).rejects.toThrow(/belongs to user id 1/)
    const root = await start()
    expect(root.ready.postmaster).toBe(own.ready.postmaster)
    expect(await marksOf(root)).toEqual(['mine'])
  },
)

test.runIf(isRoot)(
  'root below a closed folder: the data is kept where Postgres can reach it, and found again',
  async () => {
    const closed = join(folder, 'closed')
    await mkdir(closed, { mode: 0o700 })
    const path = join(closed, 'data')
    const homes: string[] = []
    const note = ({ cluster }: Ready) => homes.push(dirname(cluster))
    try {
      const first = await start(path)
      note(first.ready)
      expect(first.ready.cluster).toMatch(/^\/var\/lib\/atelier\/.*closed-data-[0-9a-f]{8}\/postgres$/)
      await first.ask('insert elsewhere')
      await first.close()
      const second = await start(path)
      note(second.ready)
      expect(await marksOf(second)).toEqual(['elsewhere'])
      await second.close()
      await rm(dirname(first.ready.cluster), { recursive: true })
      await expect(start(path)).rejects.toThrow(/should be in .* but is not there/)
    } finally {
      for (const home of homes) await rm(home, { recursive: true, force: true })
    }
  },
)
