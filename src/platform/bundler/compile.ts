import { readFileSync } from 'node:fs'
import { type BuildFailure, build, type OutputFile } from 'esbuild'
import { completeSource } from './entry.ts'
import type { BuildInput, BuildMessage } from './index.ts'
import { buildLimits } from './limits.ts'
import { isReact, versionsIn } from './remote.ts'
import { type FileOf, hostRefusal, remark, report } from './report.ts'
import { isOnlyVirtual, type OwnModule, virtualFiles } from './virtual.ts'

/** The libraries that imports may name. */
export interface Libraries {
  imports: Readonly<Record<string, string>>
  available: readonly string[]
  /** Where browsers get all other packages; those are refused when it is absent. */
  cdn?: string | undefined
}

/** One run of esbuild: what to start from, and what we add to the input's files. */
export interface CompileRequest {
  input: BuildInput
  libraries: Libraries
  /** A path of the input, or the name of one of `own`. */
  start: string
  own: Readonly<Record<string, OwnModule>>
  /** The file whose component is shown. */
  entryPath: string | null
  /** Own modules that are scripts inside a page: name → path of that page. */
  scriptsOf?: ReadonlyMap<string, string>
}

export type Compiled =
  | {
      ok: true
      script: string
      style: string
      /** What the import map must name. */
      libraries: string[]
      /** Packages that the code imports, for people. */
      dependencies: string[]
      warnings: BuildMessage[]
    }
  | { ok: false; errors: BuildMessage[]; warnings: BuildMessage[] }

/** A finished page, before it is measured. */
export type Built =
  | { ok: true; html: string; bundleBytes: number; dependencies: string[]; warnings: BuildMessage[] }
  | { ok: false; errors: BuildMessage[]; warnings: BuildMessage[] }

/** The module that shows a component, as an own module. */
export const mountModule: OwnModule = {
  contents: readFileSync(new URL('./page/mount.js', import.meta.url), 'utf8'),
  loader: 'js',
  importer: '',
}

/** Bundles from memory to memory. Whatever is wrong with the sources is an answer, never an exception. */
export async function compile(request: CompileRequest): Promise<Compiled> {
  const { files } = request.input
  const fileOf: FileOf = path => {
    const name = path.replace(/^(?:virtual|own):/, '')
    const origin = request.scriptsOf?.get(name) ?? name
    return Object.hasOwn(files, origin) ? origin : null
  }
  const remotes = new Map<string, string>()
  try {
    const result = await build(optionsOf(request, remotes))
    const warnings = report(result.warnings, files, fileOf)
    if (!isOnlyVirtual(result.metafile.inputs)) return { ok: false, errors: [remark(hostRefusal)], warnings }
    const script = textOf(result.outputFiles, '.js')
    const style = textOf(result.outputFiles, '.css')
    if (script.length + style.length > buildLimits.outputBytes)
      return { ok: false, errors: [remark('The result is too large to be shown')], warnings }
    const outputs = Object.values(result.metafile.outputs)
    const external = outputs.flatMap(output => output.imports).filter(item => item.external)
    const imported = new Set(external.map(item => item.path))
    const local = Object.keys(request.libraries.imports).filter(name => imported.has(name))
    const remote = [...remotes].filter(([address]) => imported.has(address)).map(([, name]) => name)
    // What comes from elsewhere asks for the page's own React.
    const shared = remote.length > 0 ? Object.keys(request.libraries.imports).filter(isReact) : []
    return {
      ok: true,
      script,
      style,
      libraries: [...new Set([...local, ...shared])].sort(),
      dependencies: [...new Set([...local, ...remote])].sort(),
      warnings,
    }
  } catch (error) {
    const failure = error as Partial<BuildFailure>
    if (!Array.isArray(failure.errors)) throw error
    return {
      ok: false,
      errors: report(failure.errors, files, fileOf),
      warnings: report(failure.warnings ?? [], files, fileOf),
    }
  }
}

// The words that previews may say; our own environment is not read here.
const processEnv = ['process', 'env'].join('.')

function optionsOf(request: CompileRequest, remotes: Map<string, string>) {
  const { input, libraries, own, entryPath } = request
  return {
    entryPoints: [request.start],
    bundle: true,
    write: false,
    outdir: '/out',
    metafile: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    charset: 'utf8',
    minify: input.minify ?? false,
    legalComments: 'none',
    sourcemap: false,
    logLevel: 'silent',
    logLimit: buildLimits.messages,
    // Whether a computed import finds files on the host must not show: both ways it is the same error (see report.ts).
    logOverride: { 'empty-glob': 'error' },
    jsx: 'automatic',
    // Given, so that no tsconfig.json is ever looked for.
    tsconfigRaw: { compilerOptions: { experimentalDecorators: true } },
    define: {
      [`${processEnv}.NODE_ENV`]: '"development"',
      [processEnv]: '{}',
      'import.meta.env': '{"MODE":"development","DEV":true,"PROD":false,"BASE_URL":"/"}',
      global: 'globalThis',
    },
    plugins: [
      virtualFiles({
        files: input.files,
        libraries: new Set(Object.keys(libraries.imports)),
        available: libraries.available,
        cdn: libraries.cdn,
        versions: versionsIn(input.files),
        remotes,
        own,
        prepare: (path, source) => completeSource(source, path === entryPath),
      }),
    ],
  } as const satisfies Parameters<typeof build>[0]
}

function textOf(outputs: readonly OutputFile[], extension: string): string {
  return outputs.find(output => output.path.endsWith(extension))?.text ?? ''
}
