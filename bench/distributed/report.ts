import { cpus, loadavg } from 'node:os'

/** One figure beside its goal. */
export interface Result {
  what: string
  goal: string
  figure: string
  isMet: boolean
}

/** When and on what it was measured. */
export function machineLine(): string {
  const day = new Date().toISOString().slice(0, 10)
  const load = loadavg()
    .map(value => value.toFixed(1))
    .join(', ')
  return `${day}, ${cpus().length} cores, Node ${process.versions.node}, load ${load}`
}

/** A Markdown table. */
export function tableOf(results: readonly Result[]): string {
  const rows = results.map(
    ({ what, goal, figure, isMet }) => `| ${what} | ${goal} | ${figure} | ${isMet ? 'met' : '**missed**'} |`,
  )
  return ['| what | goal | measured | |', '|---|---|---|---|', ...rows].join('\n')
}
