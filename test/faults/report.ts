/** What a scenario found: counts, times, and everything that broke a promise. */
export class Report {
  readonly name: string
  readonly failures: string[] = []
  readonly #counts = new Map<string, number>()
  readonly #times = new Map<string, { values: number[]; limitMs: number | null }>()
  #trials: { count: number; what: string }[] = []

  constructor(name: string) {
    this.name = name
  }

  /** A promise that was not kept. */
  fail(what: string): void {
    this.failures.push(what)
  }

  /** Fails unless it holds. */
  check(holds: boolean, what: () => string): void {
    if (!holds) this.fail(what())
  }

  count(what: string, by = 1): void {
    this.#counts.set(what, (this.#counts.get(what) ?? 0) + by)
  }

  /** A measured time; above its limit it is a failure. */
  time(what: string, ms: number, limitMs: number | null = null): void {
    const known = this.#times.get(what) ?? { values: [], limitMs }
    known.values.push(ms)
    this.#times.set(what, known)
    if (limitMs !== null && ms > limitMs) this.fail(`${what}: ${Math.round(ms)} ms, allowed are ${limitMs}`)
  }

  /** So many independent tries of something, for the bound that a run without failures gives. */
  trials(count: number, what: string): void {
    this.#trials.push({ count, what })
  }

  /** Adds what another run of the same scenario found. */
  add(other: Report): void {
    for (const [what, by] of other.#counts) this.count(what, by)
    for (const [what, { values, limitMs }] of other.#times) {
      const known = this.#times.get(what) ?? { values: [], limitMs }
      known.values.push(...values)
      this.#times.set(what, known)
    }
    this.failures.push(...other.failures)
    this.#trials.push(...other.#trials)
  }

  /** The report for people. */
  text(): string {
    const counts = [...this.#counts].map(([what, count]) => `  ${String(count).padStart(7)}  ${what}`)
    const times = [...this.#times].map(([what, { values, limitMs }]) => {
      const limit = limitMs === null ? '' : `, limit ${limitMs} ms`
      return `           ${what}: p50 ${part(values, 0.5)} ms, p95 ${part(values, 0.95)} ms, max ${part(values, 1)} ms (${values.length}${limit})`
    })
    return [
      `${this.failures.length === 0 ? 'ok' : 'FAILED'}  ${this.name}`,
      ...counts,
      ...times,
      ...this.#verdict(),
    ].join('\n')
  }

  #verdict(): string[] {
    const shown = this.failures.slice(0, 20).map(failure => `  FAILED   ${failure}`)
    const rest = this.failures.length - shown.length
    if (this.failures.length > 0) return [...shown, ...(rest > 0 ? [`  FAILED   and ${rest} more`] : [])]
    const sums = new Map<string, number>()
    for (const { count, what } of this.#trials) sums.set(what, (sums.get(what) ?? 0) + count)
    return [...sums].map(
      ([what, count]) =>
        `           no failure in ${count} ${what}: the true rate is below ${percent(3 / count)} (95 %)`,
    )
  }
}

function part(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return Math.round(sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? 0)
}

function percent(share: number): string {
  return `${(Math.min(1, share) * 100).toPrecision(2)} %`
}
