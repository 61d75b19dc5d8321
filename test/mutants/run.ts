import { spawnSync } from 'node:child_process'
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { authentication } from './authentication.ts'
import { authorization } from './authorization.ts'
import type { Mutant } from './mutant.ts'

// Takes one guard away at a time, in a copy of this tree, and says whether a test noticed. Rows may be named:
// node test/mutants/run.ts A13 Z01

const root = resolve(import.meta.dirname, '../..')
const wanted = process.argv.slice(2)
const mutants = [...authentication, ...authorization]
const chosen = mutants.filter(({ row }) => wanted.length === 0 || wanted.includes(row))
const copy = await mkdtemp(join(tmpdir(), 'mutants-'))
const survivors: Mutant[] = []
const say = (line: string) => void process.stdout.write(`${line}\n`)

try {
  for (const part of ['src', 'test', 'migrations', 'web', 'bench', 'bin'])
    await cp(join(root, part), join(copy, part), { recursive: true })
  for (const file of ['package.json', 'tsconfig.json', 'vitest.config.ts'])
    await cp(join(root, file), join(copy, file))
  await symlink(join(root, 'node_modules'), join(copy, 'node_modules'))
  for (const mutant of chosen) {
    const failed = await noticed(mutant).catch((error: Error) => error)
    const isNoticed = Array.isArray(failed) && failed.length > 0
    if (!isNoticed) survivors.push(mutant)
    const verdict = isNoticed ? 'noticed ' : failed instanceof Error ? 'UNKNOWN ' : 'SURVIVED'
    say(`${verdict} ${mutant.row} ${mutant.what}`)
    for (const name of failed instanceof Error ? [failed.message] : failed.slice(0, 3))
      say(`           ${name}`)
  }
} finally {
  await rm(copy, { recursive: true, force: true })
}
say(`${chosen.length - survivors.length} of ${chosen.length} noticed`)
process.exitCode = survivors.length === 0 ? 0 : 1

/** The tests that fail without this guard. Throws when the source no longer has it as it is written here. */
async function noticed({ what, changes, tests, named }: Mutant): Promise<string[]> {
  const originals = new Map<string, string>()
  try {
    for (const { file, from, to } of changes) {
      const path = join(copy, file)
      const text = await readFile(path, 'utf8')
      if (!originals.has(path)) originals.set(path, text)
      if (!text.includes(from)) throw new Error(`${file} has no longer what "${what}" takes away: ${from}`)
      await writeFile(
        path,
        text.replace(from, () => to),
      )
    }
    const filter = named === undefined ? [] : ['-t', named]
    const { stdout } = spawnSync(
      process.execPath,
      ['node_modules/vitest/vitest.mjs', 'run', '--reporter=json', ...tests, ...filter],
      { cwd: copy, encoding: 'utf8', maxBuffer: 1 << 28, stdio: ['ignore', 'pipe', 'ignore'] },
    )
    const report = JSON.parse(stdout.slice(stdout.indexOf('{"'))) as Report
    const all = report.testResults.flatMap(each => each.assertionResults)
    const broken = report.testResults.filter(each => each.assertionResults.length === 0)
    // A file that cannot be loaded proves nothing.
    if (broken.length > 0)
      throw new Error(`"${what}" does not run: ${broken.map(each => each.message).join()}`)
    return all.filter(each => each.status === 'failed').map(each => each.fullName)
  } finally {
    for (const [path, text] of originals) await writeFile(path, text)
  }
}

interface Report {
  testResults: { message: string; assertionResults: { status: string; fullName: string }[] }[]
}
