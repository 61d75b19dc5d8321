/** Builds the vendor bundle into the folder named on the command line: `node vendor-build.ts <folder>`. */
import { chmod, mkdir, mkdtemp, readdir, rename, rm, stat, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import * as esbuild from 'esbuild'
import { type Library, libraries } from './libraries.ts'

const require = createRequire(import.meta.url)
const here = dirname(fileURLToPath(import.meta.url))

await buildVendor(process.argv[2] ?? '')

async function buildVendor(folder: string): Promise<void> {
  const parent = dirname(folder)
  await mkdir(parent, { recursive: true })
  const partial = await mkdtemp(join(parent, '.partial-'))
  try {
    const imports = await bundle(partial)
    await writeFile(join(partial, 'imports.json'), JSON.stringify(imports, null, 2))
    // Who builds need not be who serves.
    await chmod(partial, 0o755)
    // Another process may have been faster; its result is the same.
    await rename(partial, folder).catch(error => {
      if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error
    })
    await removeOthers(parent, basename(folder))
  } finally {
    await rm(partial, { recursive: true, force: true })
    await esbuild.stop()
  }
}

async function bundle(outdir: string): Promise<Record<string, string>> {
  const built = libraries.filter(library => !library.sameAs)
  const nameOf = (library: Library) => library.specifier.replaceAll(/[^a-z0-9]+/g, '-').replace(/^-/, '')
  const sources = new Map(built.map(library => [nameOf(library), sourceOf(library)]))
  const result = await esbuild.build({
    entryPoints: [...sources.keys()].map(name => ({ in: `library:${name}`, out: name })),
    outdir,
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    minify: true,
    legalComments: 'linked',
    entryNames: '[name]-[hash]',
    chunkNames: 'chunk-[hash]',
    // The development build of React says what is wrong in words instead of numbers.
    define: { [['process', 'env', 'NODE_ENV'].join('.')]: '"development"' },
    logLevel: 'error',
    metafile: true,
    plugins: [
      {
        name: 'libraries',
        setup(build) {
          build.onResolve({ filter: /^library:/ }, args => ({
            path: args.path.slice(8),
            namespace: 'library',
          }))
          build.onLoad({ filter: /.*/, namespace: 'library' }, args => {
            const contents = sources.get(args.path)
            return contents === undefined ? null : { contents, loader: 'js', resolveDir: here }
          })
        },
      },
    ],
  })
  const files = new Map<string, string>()
  for (const [path, output] of Object.entries(result.metafile.outputs)) {
    if (output.entryPoint) files.set(output.entryPoint.replace(/^library:/, ''), basename(path))
  }
  return Object.fromEntries(
    libraries.map(library => {
      const original =
        libraries.find(other => other.specifier === (library.sameAs ?? library.specifier)) ?? library
      return [library.specifier, files.get(nameOf(original)) ?? '']
    }),
  )
}

/** The entry module of one library: all its names, and a default. */
function sourceOf(library: Library): string {
  const from = JSON.stringify(library.specifier)
  if (library.isCommonJs) return (library.source ?? '') + commonJsExports(library, from)
  return `${library.source ?? `export * from ${from}`}\nimport * as all from ${from === '"react-router-dom"' ? '"react-router"' : from}\nexport default all.default ?? all`
}

function commonJsExports(library: Library, from: string): string {
  const names = Object.keys(require(library.specifier) as object).filter(
    name =>
      /^[A-Za-z_$][\w$]*$/.test(name) &&
      name !== 'default' &&
      !(library.source ?? '').includes(`function ${name}(`),
  )
  const extras = library.source ? '{ ...all, render }' : 'all'
  return [
    `import all from ${from}`,
    `export default ${extras}`,
    ...names.map((name, index) => `const _${index} = all.${name}\nexport { _${index} as ${name} }`),
  ].join('\n')
}

/** Older versions are of no use once a new one is there. */
async function removeOthers(parent: string, keep: string): Promise<void> {
  for (const name of await readdir(parent)) {
    const isOld =
      /^[0-9a-f]{16}$/.test(name) ||
      (name.startsWith('.partial-') && (await ageMs(join(parent, name))) > 600_000)
    if (name !== keep && isOld) await rm(join(parent, name), { recursive: true, force: true })
  }
}

/** How long ago something was last changed; what has gone is new. */
async function ageMs(path: string): Promise<number> {
  return stat(path).then(
    found => Date.now() - found.mtimeMs,
    () => 0,
  )
}
