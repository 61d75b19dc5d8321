/**
 * Removes what a feature keeps of an account outside the rows that hang on it: files, jobs, running work. Called after
 * the account's sessions have ended and before its rows go; may be called again, also for what is gone already.
 */
export type Erase = (accountId: string) => Promise<void>

/** Everything that must happen before an account is gone; later features add their part by name. */
export class Erasures {
  readonly #registered = new Map<string, Erase>()
  readonly #report: (error: unknown, what: string) => void

  constructor(report: (error: unknown, what: string) => void) {
    this.#report = report
  }

  /** Adds a feature's part. Parts run in the reverse order of their adding: who came last stands on the others. */
  add(name: string, erase: Erase): void {
    this.#registered.set(name, erase)
  }

  /** Runs every part; false when one failed, which has been reported. */
  async run(accountId: string): Promise<boolean> {
    let isComplete = true
    for (const [name, erase] of [...this.#registered].reverse()) {
      try {
        await erase(accountId)
      } catch (error) {
        isComplete = false
        this.#report(error, `erasing ${name} of an account`)
      }
    }
    return isComplete
  }
}
