/** One line of a build's report. Line is 1-based, column 0-based; `file` is a path of the input. */
export interface BuildMessage {
  text: string
  file: string | null
  line: number | null
  column: number | null
  /** The offending line of the input itself, never of any other file. */
  lineText: string | null
}

export interface BuildInput {
  /** Sources by path, relative, `/`-separated. Nothing outside this map can be read. */
  files: Readonly<Record<string, string>>
  /** The path to start from; when absent the bundler picks it (src/main.tsx, App.tsx, index.html …). */
  entry?: string
  minify?: boolean
}

export type BuildOutput =
  | {
      ok: true
      /** A whole HTML page: the bundle inlined, libraries by import map to the vendor bundle. */
      html: string
      bundleBytes: number
      durationMs: number
      /** Names of the libraries that the code imports. */
      dependencies: string[]
      warnings: BuildMessage[]
    }
  | { ok: false; errors: BuildMessage[]; warnings: BuildMessage[]; durationMs: number }

/**
 * Builds untrusted sources in a child process with limits (10 s, 512 MB, bounded queue). A failure of the sources is an
 * `ok: false` result; AppError only for our own limits (`too-large` BUILD_INPUT, `timeout` BUILD_TIMEOUT, `limited` BUILD_QUEUE).
 */
export interface Bundler {
  build(input: BuildInput): Promise<BuildOutput>
  close(): Promise<void>
}
