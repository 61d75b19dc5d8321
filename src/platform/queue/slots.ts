interface Waiter {
  resolve(isTaken: boolean): void
  timer: NodeJS.Timeout
}

/**
 * Who has how much of one process: a group gets at most all slots but one, so that somebody else finds one free whatever
 * the first one queued. With a single slot there is nothing to keep free.
 */
export class GroupSlots {
  readonly #limit: number
  readonly #taken = new Map<string, number>()
  readonly #waiting = new Map<string, Waiter[]>()

  constructor(concurrency: number) {
    this.#limit = Math.max(1, concurrency - 1)
  }

  /** Takes a slot for the group, or waits so long for one of its own to become free; says whether it was taken. */
  take(group: string, waitMs: number): Promise<boolean> {
    const taken = this.#taken.get(group) ?? 0
    if (taken < this.#limit) {
      this.#taken.set(group, taken + 1)
      return Promise.resolve(true)
    }
    return new Promise(resolve => {
      const waiter: Waiter = {
        resolve,
        timer: setTimeout(() => {
          this.#forget(group, waiter)
          resolve(false)
        }, waitMs),
      }
      this.#waiting.set(group, [...(this.#waiting.get(group) ?? []), waiter])
    })
  }

  /** Gives a slot back, to the next of the same group that waits. */
  free(group: string): void {
    const next = this.#waiting.get(group)?.[0]
    if (next) {
      clearTimeout(next.timer)
      this.#forget(group, next)
      next.resolve(true)
      return
    }
    const left = (this.#taken.get(group) ?? 1) - 1
    if (left > 0) this.#taken.set(group, left)
    else this.#taken.delete(group)
  }

  #forget(group: string, waiter: Waiter): void {
    const rest = (this.#waiting.get(group) ?? []).filter(other => other !== waiter)
    if (rest.length > 0) this.#waiting.set(group, rest)
    else this.#waiting.delete(group)
  }
}
