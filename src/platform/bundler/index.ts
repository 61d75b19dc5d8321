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

/** A source whose outline is asked for. */
export interface OutlineSource {
  language: 'js' | 'jsx' | 'ts' | 'tsx' | 'css'
  content: string
}

export interface ImportedName {
  /** `default`, `*`, or the name in the other module. */
  imported: string
  local: string
  isType: boolean
}

/** An import statement by its place in the source. */
export interface ImportStatement {
  start: number
  end: number
  specifier: string
  names: ImportedName[]
}

/** What a source holds at its top level, by its syntax tree; of a style sheet only that it parses. */
export interface Outline {
  imports: ImportStatement[]
  /** Statements such as `'use client'`. */
  directives: { start: number; end: number }[]
  declares: { name: string; isHoisted: boolean }[]
  /** Without the text from `start` to `end` it is an ordinary declaration of `name`; null for what has no name. */
  defaultExport: { start: number; end: number; name: string | null } | null
  hasNamedExports: boolean
  /** Names that come from elsewhere: neither declared nor imported anywhere in it. */
  uses: string[]
  /** Those of them that are needed as soon as the module runs. */
  usesAtOnce: string[]
  /** It declares functions, classes or types, rather than only running. */
  defines: boolean
  /** Nothing but JSX elements, as a usage example has. */
  isOnlyElements: boolean
  /** False when a part of it would mean something else in another module. */
  isMovable: boolean
}

/**
 * Builds untrusted sources in a child process with limits (10 s, 512 MB, bounded queue). A failure of the sources is an
 * `ok: false` result; AppError only for our own limits (`too-large` BUILD_INPUT, `timeout` BUILD_TIMEOUT, `limited` BUILD_QUEUE).
 */
export interface Bundler {
  build(input: BuildInput): Promise<BuildOutput>
  /**
   * Reads sources without building them, behind the same walls but not behind builds; null for what does not parse. Asked
   * for none it only gets ready, so that the next call is quick.
   */
  outline(sources: readonly OutlineSource[]): Promise<(Outline | null)[]>
  /** Names all else that decides about a result: libraries, settings and the bundler itself. */
  readonly fingerprint: string
  close(): Promise<void>
}
