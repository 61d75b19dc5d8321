import { micromark } from 'micromark'
import { gfm, gfmHtml } from 'micromark-extension-gfm'
import { type Built, type Compiled, compile, type Libraries, mountModule } from './compile.ts'
import { chooseEntry, type Entry, exportedComponents, mountsItself, usesReact } from './entry.ts'
import type { BuildInput, BuildOutput } from './index.ts'
import { buildPage } from './page/build.ts'
import { page, styleElement } from './page/page.ts'
import { remark } from './report.ts'

/** Makes the page of a project: of whatever kind its entry is. */
export async function buildProject(input: BuildInput, libraries: Libraries): Promise<BuildOutput> {
  const startedAt = performance.now()
  const entry = chooseEntry(input.files, input.entry)
  const built = entry ? await buildEntry(entry, input, libraries) : nothingToShow(input)
  return { ...built, durationMs: Math.round((performance.now() - startedAt) * 10) / 10 }
}

function nothingToShow(input: BuildInput): Built {
  const asked = input.entry
  const text =
    asked === undefined
      ? 'There is no preview for this kind of file. Previews show React, HTML, JavaScript, TypeScript, CSS, SVG and Markdown.'
      : `"${asked.slice(0, 100)}" is not part of this project, or cannot be shown`
  return { ok: false, errors: [remark(text)], warnings: [] }
}

function buildEntry(entry: Entry, input: BuildInput, libraries: Libraries): Promise<Built> | Built {
  const source = input.files[entry.path] ?? ''
  switch (entry.kind) {
    case 'script':
      return buildScript(entry.path, input, libraries)
    case 'page':
      return buildPage(entry.path, input, libraries)
    case 'style':
      return buildStyle(entry.path, input, libraries)
    case 'markdown':
      return plain(entry.path, markdownBody(source))
    case 'drawing':
      return plain(
        entry.path,
        source.replace(/^\s*<\?xml[^>]{0,500}\?>/, '').replace(/^\s*<!DOCTYPE[^>[]{0,500}>/i, ''),
      )
  }
}

async function buildScript(path: string, input: BuildInput, libraries: Libraries): Promise<Built> {
  const source = input.files[path] ?? ''
  const isMounted = !mountsItself(source) && usesReact(path, source)
  const target = JSON.stringify(`virtual:${path}`)
  const start = isMounted
    ? `import * as entry from ${target}\nimport { mount } from 'atelier:mount'\nmount(entry, ${JSON.stringify(exportedComponents(source))})`
    : `import ${target}`
  const compiled = await compile({
    input,
    libraries,
    start: 'atelier:start',
    own: { 'atelier:start': { contents: start, loader: 'js', importer: '' }, 'atelier:mount': mountModule },
    entryPath: isMounted ? path : null,
  })
  if (!compiled.ok) return compiled
  const body = isMounted ? '<div id="root"></div>' : '<div id="root"></div>\n<div id="app"></div>'
  return finish(compiled, libraries, imports =>
    page({ title: path, style: compiled.style, body, script: compiled.script, imports }),
  )
}

async function buildStyle(path: string, input: BuildInput, libraries: Libraries): Promise<Built> {
  const compiled = await compile({ input, libraries, start: path, own: {}, entryPath: null })
  if (!compiled.ok) return compiled
  return finish(compiled, libraries, () => page({ title: path, style: compiled.style, body: specimen }))
}

function finish(
  compiled: Extract<Compiled, { ok: true }>,
  libraries: Libraries,
  render: (imports: Record<string, string>) => string,
): Built {
  const imports = Object.fromEntries(compiled.libraries.map(name => [name, libraries.imports[name] ?? '']))
  const bundleBytes = Buffer.byteLength(compiled.script) + Buffer.byteLength(compiled.style)
  return {
    ok: true,
    html: render(imports),
    bundleBytes,
    dependencies: compiled.dependencies,
    warnings: compiled.warnings,
  }
}

function plain(path: string, body: string): Built {
  return {
    ok: true,
    html: page({ title: path, body }),
    bundleBytes: Buffer.byteLength(body),
    dependencies: [],
    warnings: [],
  }
}

function markdownBody(source: string): string {
  const style =
    'body{max-width:46rem;margin:2rem auto;padding:0 1rem;line-height:1.6}pre{background:#f4f4f5;padding:1rem;overflow:auto}table{border-collapse:collapse}td,th{border:1px solid #ccc;padding:.3rem .6rem}'
  return `${styleElement(style)}${micromark(source, { extensions: [gfm()], htmlExtensions: [gfmHtml()] })}`
}

const specimen = `<main class="container">
<h1>Heading</h1>
<p class="card">A paragraph with <a href="#">a link</a>, <strong>strong</strong> and <em>emphasised</em> text.</p>
<p><button class="button btn">Button</button> <input placeholder="Input" aria-label="Input"></p>
<ul><li>One</li><li>Two</li></ul>
<table><thead><tr><th>Name</th><th>Value</th></tr></thead><tbody><tr><td>First</td><td>1</td></tr></tbody></table>
</main>`
