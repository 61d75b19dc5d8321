/** One guard taken away: the change to the source, and the tests of which one must fail then. */
export interface Mutant {
  /** A row of the tables in docs/accounts.md. */
  row: string
  what: string
  changes: readonly { file: string; from: string; to: string }[]
  tests: readonly string[]
  /** A part of the names of the tests to run; all of them when absent. */
  named?: string
}

/** A change of a file's text: the first place where it is. */
export const rule = (file: string, from: string, to: string) => ({ file, from, to })
export const accounts = (name: string) => `src/features/accounts/${name}.ts`
