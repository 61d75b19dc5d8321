import { randomInt } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Redis } from 'ioredis'
import { query } from './audit.ts'
import { until } from './client.ts'
import type { Fault } from './judge.ts'
import type { Strike } from './load.ts'
import type { Report } from './report.ts'
import type { Member } from './stage.ts'
import type { World } from './worlds.ts'

/** Nothing of what was accepted may be cut: the fault hit what processes stand on, not them. */
const nobodyDied = { server: null, killsJobs: false, cut: null }

/** kill -9, of each process in turn. */
export const killed: Strike = {
  name: 'kill -9 of each process in turn',
  modes: ['embedded', 'distributed'],
  async strike(world, report, round) {
    const victim = victimOf(world, round)
    await victim.kill()
    const at = victim.diedAt
    await restart(victim, report)
    report.count(`kills of a ${victim.verb === 'worker' ? 'worker' : 'server'}`)
    return {
      ...diedWith(world, victim),
      at,
      wholeAt: Date.now(),
      cut: { code: 'SERVER_STOPPED', lossMs: 4000 },
    }
  },
}

/** SIGTERM: running answers may end within the drain time, the rest is kept to the last word. */
export const stopped: Strike = {
  name: 'SIGTERM and a restart, of each process in turn',
  modes: ['embedded', 'distributed'],
  strike: (world, report, round) => stop(world, report, round),
}

/** The same with production's drain time, which is longer than these answers take. */
export const drained: Strike = {
  name: 'SIGTERM in production, where answers may take their time',
  modes: ['embedded'],
  env: {
    NODE_ENV: 'production',
    JWT_SECRET: 'a secret of nobody, longer than thirty-two',
    ENCRYPTION_KEY: 'another one of nobody, longer than thirty-two',
    PUBLIC_URL: 'http://127.0.0.1',
    SIGNUP_VERIFICATION: 'optional',
  },
  async strike(world, report, round) {
    const fault = await stop(world, report, round)
    return { ...fault, server: null, cut: null }
  },
}

/** SIGTERM, and a second one or SIGKILL before the first is done. */
export const impatient: Strike = {
  name: 'SIGTERM followed by another one, or by SIGKILL',
  modes: ['embedded', 'distributed'],
  async strike(world, report, round) {
    const victim = victimOf(world, round)
    const at = Date.now()
    const exit = victim.kill('SIGTERM')
    // Within a second it counts as the same Ctrl-C.
    await sleep(randomInt(20, 2500))
    const second = Math.floor(round / 3) % 2 === 0 ? 'SIGTERM' : 'SIGKILL'
    await Promise.all([victim.kill(second), exit])
    await restart(victim, report)
    report.count(`SIGTERM, then ${second}`)
    return {
      ...diedWith(world, victim),
      at,
      wholeAt: Date.now(),
      cut: { code: 'SERVER_STOPPED', lossMs: 4000 },
    }
  },
}

async function stop(world: World, report: Report, round: number): Promise<Fault> {
  const victim = victimOf(world, round)
  const at = Date.now()
  const code = await victim.kill('SIGTERM')
  report.time('exit after SIGTERM', Date.now() - at, 30_000)
  report.check(code === 0, () => `${victim.name} ended with exit code ${code} on SIGTERM`)
  await restart(victim, report)
  return { ...diedWith(world, victim), at, wholeAt: Date.now(), cut: { code: null, lossMs: 0 } }
}

/** Redis dies with what was not on its disk, is away for a moment, and comes back. */
export const redisRestarted: Strike = {
  name: 'Redis killed and started again',
  modes: ['distributed'],
  async strike(world) {
    const at = Date.now()
    await world.redis?.stop()
    await sleep(randomInt(3000))
    await world.redis?.start()
    return { ...nobodyDied, killsJobs: true, at, wholeAt: Date.now() }
  },
}

/** Redis forgets everything, as after a replacement of its machine. */
export const redisWiped: Strike = {
  name: 'Redis emptied',
  modes: ['distributed'],
  // So long that workers notice that the queue does not know their jobs any more.
  words: 600,
  async strike(world) {
    const redis = new Redis(world.redis?.url ?? '')
    const at = Date.now()
    await redis.flushall()
    redis.disconnect()
    return { ...nobodyDied, killsJobs: true, at, wholeAt: Date.now() }
  },
}

/** Postgres ends as in a crash, with everybody connected, and starts again. */
export const postgresCrashed: Strike = {
  name: 'Postgres restarted as with pg_ctl -m immediate',
  modes: ['embedded', 'distributed'],
  async strike(world, report) {
    const before = world.servers.map(server => server.process.pid)
    const at = Date.now()
    if (world.postgres) await world.postgres.crash({ downMs: randomInt(2000) })
    else await crashEmbedded(world)
    const wholeAt = Date.now()
    const isSame = world.servers.every(
      (server, index) => server.process.pid === before[index] && server.isAlive(),
    )
    report.check(isSame, () => 'a server did not outlive its Postgres')
    return { ...nobodyDied, killsJobs: true, at, wholeAt }
  },
}

/** Postgres is away for longer than a process may be silent before it counts as dead. */
export const postgresAway: Strike = {
  name: 'Postgres away for half a minute',
  modes: ['distributed'],
  words: 200,
  async strike(world) {
    const at = Date.now()
    await world.postgres?.crash({ downMs: 27_000 })
    return { ...nobodyDied, killsJobs: true, at, wholeAt: Date.now() }
  },
}

/** The embedded Postgres is started again by the server that stands on it. */
async function crashEmbedded({ stage, source }: World): Promise<void> {
  const pidPath = join(stage.dataDir, 'postgres', 'postmaster.pid')
  const pid = Number.parseInt(await readFile(pidPath, 'utf8'), 10)
  process.kill(pid, 'SIGQUIT')
  const isBack = async () => {
    const now = Number.parseInt(await readFile(pidPath, 'utf8').catch(() => ''), 10)
    return (
      now > 0 &&
      now !== pid &&
      (await query(source, 'select 1').then(
        () => true,
        () => false,
      ))
    )
  }
  await until(isBack, 'the return of the embedded Postgres')
}

/** A worker is frozen until the queue gives its jobs to another one, and then goes on as if nothing had happened. */
export const frozen: Strike = {
  name: 'a worker frozen for so long that another one takes its jobs',
  modes: ['distributed'],
  words: 400,
  async prepare({ stage, worker }) {
    await stage.start({ name: 'second worker', verb: 'worker', env: worker?.env ?? {} })
  },
  async strike({ worker }) {
    const at = Date.now()
    const pid = worker?.process.pid ?? 0
    process.kill(pid, 'SIGSTOP')
    // About as long as a lock of the queue, a look for stalled jobs and the silence after which a runner counts as dead:
    // it comes back while the other one writes the same answers.
    await sleep(randomInt(24_000, 38_000))
    process.kill(pid, 'SIGCONT')
    return { ...nobodyDied, killsJobs: true, at, wholeAt: Date.now() }
  },
}

function victimOf({ servers, worker }: World, round: number): Member {
  const victims = [...servers, ...(worker ? [worker] : [])]
  const victim = victims[round % victims.length]
  if (!victim) throw new Error('nobody there')
  return victim
}

function diedWith({ worker }: World, victim: Member) {
  return { server: victim.url, killsJobs: worker === null || victim === worker }
}

async function restart(victim: Member, report: Report): Promise<void> {
  const startedAt = Date.now()
  await victim.restart()
  report.time('start until ready', Date.now() - startedAt)
}
