import type { UsageRow } from '../../api/types.ts'

/** By what usage is told apart. */
export type Grouping = 'model' | 'kind' | 'payer'

/** What is drawn: micro-credits, tokens or answers. */
export type Measure = 'costMicroCredits' | 'tokens' | 'runs'

/** One bar: a day and how much each group had of the measure. */
export type Bar = { day: string } & Record<string, number | string>

const dayMs = 86_400_000

/** A bar for each day of the span, also those without anything, and the groups with the most first. */
export function barsOf(
  usage: { from: string; to: string; rows: readonly UsageRow[] },
  grouping: Grouping,
  measure: Measure,
): { bars: Bar[]; groups: { name: string; total: number }[] } {
  const totals = new Map<string, number>()
  const bars = new Map<string, Bar>()
  for (let at = Date.parse(usage.from); at <= Date.parse(usage.to); at += dayMs) {
    const day = new Date(at).toISOString().slice(0, 10)
    bars.set(day, { day })
  }
  for (const row of usage.rows) {
    const amount = amountOf(row, measure)
    const name = row[grouping]
    totals.set(name, (totals.get(name) ?? 0) + amount)
    const bar = bars.get(row.day)
    if (bar) bar[name] = Number(bar[name] ?? 0) + amount
  }
  const groups = [...totals].map(([name, total]) => ({ name, total })).sort((a, b) => b.total - a.total)
  return { bars: [...bars.values()], groups }
}

/** How much a row has of a measure. */
export function amountOf(row: UsageRow, measure: Measure): number {
  return measure === 'tokens' ? row.inputTokens + row.outputTokens : row[measure]
}
