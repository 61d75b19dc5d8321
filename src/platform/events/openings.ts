/** Those who wait for logs to be opened. */
export class Openings {
  readonly #waiting = new Map<string, Set<() => void>>()

  /** Whether anybody waits for this one. */
  has(id: string): boolean {
    return this.#waiting.has(id)
  }

  /** Resolves when it is told, after a time, or when the signal aborts. */
  wait(id: string, { withinMs, signal }: { withinMs: number; signal?: AbortSignal }): Promise<void> {
    if (signal?.aborted) return Promise.resolve()
    return new Promise(resolve => {
      const waiting = this.#waiting.get(id) ?? new Set()
      this.#waiting.set(id, waiting)
      const done = () => {
        clearTimeout(timer)
        signal?.removeEventListener('abort', done)
        waiting.delete(done)
        if (waiting.size === 0 && this.#waiting.get(id) === waiting) this.#waiting.delete(id)
        resolve()
      }
      const timer = setTimeout(done, withinMs)
      waiting.add(done)
      signal?.addEventListener('abort', done, { once: true })
    })
  }

  tell(id: string): void {
    for (const done of [...(this.#waiting.get(id) ?? [])]) done()
  }
}
