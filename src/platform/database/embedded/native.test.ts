import { execFileSync } from 'node:child_process'
import { chmod, cp, mkdir, readlink, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { makeTestFolder, removeTestFolder } from '../../../../test/support/folder.ts'
import { isRoot } from '../../../../test/support/machine.ts'
import { findNative, type NativePostgres, runnableNative } from './native.ts'
import { newOwner } from './owner.ts'

let folder: string

beforeEach(async () => {
  folder = await makeTestFolder('native')
})

afterEach(() => removeTestFolder(folder))

/** The package as `npm install --ignore-scripts` leaves it: without its links, here also without executable bits. */
async function installWithoutScripts(parent: string): Promise<NativePostgres> {
  const { folder: real, version } = await findNative()
  const copy = join(parent, 'native')
  const links: string[] = []
  await cp(real, copy, {
    recursive: true,
    filter: async path => {
      const isLink = await readlink(path).then(
        () => true,
        () => false,
      )
      if (isLink) links.push(path)
      return !isLink
    },
  })
  expect(links.length).toBeGreaterThan(0)
  await chmod(join(copy, 'bin', 'postgres'), 0o644)
  return { folder: copy, version }
}

const versionOf = (native: string) => {
  const { uid, gid } = newOwner()
  return execFileSync(join(native, 'bin', 'postgres'), ['--version'], {
    encoding: 'utf8',
    uid,
    gid,
    cwd: '/',
  })
}

test('an install without scripts is completed in place', async () => {
  const native = await installWithoutScripts(folder)
  const found = await runnableNative(native, newOwner(), join(folder, 'copies'))
  expect(found).toBe(native.folder)
  expect(await readlink(join(found, 'lib', 'libpq.so.5'))).toBe('libpq.so.5.18')
  expect(versionOf(found)).toContain('PostgreSQL) 18')
})

test.runIf(isRoot)(
  'binaries below a closed folder are copied once to where Postgres can run them',
  async () => {
    const closed = join(folder, 'closed')
    await mkdir(closed, { mode: 0o700 })
    const native = await installWithoutScripts(closed)
    const copies = join(folder, 'copies')
    const found = await runnableNative(native, newOwner(), copies)
    expect(dirname(found)).toBe(copies)
    expect(versionOf(found)).toContain('PostgreSQL) 18')
    const { ino } = await stat(join(found, 'bin', 'postgres'))
    expect(await runnableNative(native, newOwner(), copies)).toBe(found)
    expect((await stat(join(found, 'bin', 'postgres'))).ino).toBe(ino)
  },
)

test('a platform without a package is told to set DATABASE_URL, in one line', async () => {
  const problem = await findNative('linux-riscv64').catch((error: Error) => error.message)
  expect(problem).toMatch(/no packaged Postgres for linux-riscv64.*set DATABASE_URL/)
  expect(problem).not.toContain('\n')
})
