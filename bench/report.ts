import { mkdirSync, writeFileSync } from 'node:fs'
import { availableParallelism, cpus, release } from 'node:os'
import { fileURLToPath } from 'node:url'
import { type Column, type Figure, median } from './columns.ts'
import type { RowName } from './rows.ts'

/** What was measured: for each row and column one figure a round. */
export type Measured = Map<RowName, Map<string, Figure[]>>

/** The goal of every column: at most so many times the floor. */
export const goalRatio = 2
/** The goal of an open follower, in KB. */
export const goalFollowerKb = 60

export interface Told {
  columns: readonly Pick<Column, 'key' | 'title' | 'unit'>[]
  rows: readonly { name: RowName; label: string }[]
  measured: Measured
  rounds: number
}

/** The medians as a table with ratios to the floor and, for the first token, to the provider. */
export function tableOf({ columns, rows, measured, rounds }: Told): string {
  const lines = [
    `\nMedians of ${rounds} rounds; in brackets the ratio to the floor. Postgres beside the server: + pg.\n`,
  ]
  const labels = rows.map(row => row.label)
  const width = Math.max(...labels.map(label => label.length))
  for (const { key, title, unit } of columns) {
    lines.push(`${title} (${unit})`)
    const floor = medianOf(measured, 'floor', key)
    const direct = key === 'firstToken' ? medianOf(measured, 'direct', key) : undefined
    for (const { name, label } of rows) {
      const value = medianOf(measured, name, key)
      if (value === undefined) continue
      const notes = [
        floor === undefined ? '' : `[${(value / floor).toFixed(2)} × floor]`,
        direct === undefined ? '' : `[${(value / direct).toFixed(1)} × direct]`,
        postgresNote(measured, name, key),
        name === 'atelier' ? verdict(key, value, floor) : '',
      ]
      lines.push(
        `  ${label.padEnd(width)}  ${digits(value).padStart(8)}  ${notes.filter(Boolean).join('  ')}`,
      )
    }
    lines.push('')
  }
  return lines.join('\n')
}

function verdict(key: string, value: number, floor: number | undefined): string {
  if (key === 'follower')
    return value <= goalFollowerKb ? `goal ≤ ${goalFollowerKb}: met` : `goal ≤ ${goalFollowerKb}: MISSED`
  if (floor === undefined) return ''
  return value <= goalRatio * floor ? `goal ${goalRatio} ×: met` : `goal ${goalRatio} ×: MISSED`
}

function postgresNote(measured: Measured, name: RowName, key: string): string {
  const figures = measured.get(name)?.get(key) ?? []
  const postgres = median(figures.flatMap(figure => figure.postgres ?? []))
  return name === 'direct' || name === 'proxy' || Number.isNaN(postgres) ? '' : `+ pg ${digits(postgres)}`
}

function medianOf(measured: Measured, name: RowName, key: string): number | undefined {
  const figures = measured.get(name)?.get(key)
  return figures && figures.length > 0 ? median(figures.map(figure => figure.value)) : undefined
}

function digits(value: number): string {
  return value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2)
}

/** Writes everything that was measured to bench/results/; returns the path. */
export function keep({ rows, measured, rounds }: Told): string {
  const folder = fileURLToPath(new URL('./results/', import.meta.url))
  mkdirSync(folder, { recursive: true })
  const at = new Date()
  const machine = {
    cores: availableParallelism(),
    cpu: cpus()[0]?.model,
    kernel: release(),
    node: process.version,
  }
  const figures = Object.fromEntries(
    rows.map(({ name }) => [name, Object.fromEntries(measured.get(name) ?? [])]),
  )
  const path = `${folder}${at.toISOString().replaceAll(':', '-').slice(0, 19)}.json`
  writeFileSync(path, `${JSON.stringify({ at, machine, rounds, figures }, null, 2)}\n`)
  return path
}
