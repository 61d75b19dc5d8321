import { execFile } from 'node:child_process'
import { readdir, readFile } from 'node:fs/promises'
import { promisify } from 'node:util'

const pageBytes = 4096
const execute = promisify(execFile)

/** A process and its children, as they are right now. */
export interface ProcessTree {
  children: number[]
  /** Resident memory of all of them together. */
  bytes: number
}

/** Looks at a process and its direct children; a process that has ended counts nothing. */
export function inspectTree(pid: number): Promise<ProcessTree> {
  return process.platform === 'linux' ? inspectProc(pid) : inspectByPs(pid)
}

async function inspectProc(pid: number): Promise<ProcessTree> {
  const children = await childrenOf(pid)
  const sizes = await Promise.all([pid, ...children].map(residentBytes))
  return { children, bytes: sizes.reduce((sum, size) => sum + size, 0) }
}

async function childrenOf(pid: number): Promise<number[]> {
  const tasks = await readdir(`/proc/${pid}/task`).catch(() => [])
  const lists = await Promise.all(
    tasks.map(task => readFile(`/proc/${pid}/task/${task}/children`, 'utf8').catch(() => '')),
  )
  return lists.join(' ').split(/\s+/).filter(Boolean).map(Number)
}

async function residentBytes(pid: number): Promise<number> {
  const text = await readFile(`/proc/${pid}/statm`, 'utf8').catch(() => '')
  return Number(text.split(' ')[1] ?? 0) * pageBytes
}

async function inspectByPs(pid: number): Promise<ProcessTree> {
  if (process.platform === 'win32') return { children: [], bytes: 0 }
  const { stdout } = await execute('ps', ['-axo', 'pid=,ppid=,rss=']).catch(() => ({ stdout: '' }))
  const rows = stdout.split('\n').map(line => line.trim().split(/\s+/).map(Number))
  const children = rows.filter(row => row[1] === pid).map(row => row[0] ?? 0)
  const ours = rows.filter(row => row[0] === pid || row[1] === pid)
  return { children, bytes: ours.reduce((sum, row) => sum + (row[2] ?? 0) * 1024, 0) }
}
