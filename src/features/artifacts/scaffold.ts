import { isBuiltin } from 'node:module'
import { libraryVersion } from './versions.ts'

/** A file of a project that is exported. */
export interface ProjectFile {
  path: string
  content: string
}

const scripts = { dev: 'vite', build: 'vite build', preview: 'vite preview' }
const script = /\.(?:tsx|jsx|ts|js|mjs)$/i
const page = /\.html?$/i
const web = /\.(?:tsx|jsx|ts|js|mjs|html?|css)$/i
const configFile = /(?:^|\/)(?:[\w.-]+\.config|[\w.-]+\.(?:test|spec|stories|d))\.[mc]?[jt]sx?$/
const mounts = /\b(?:createRoot|hydrateRoot)\s*\(|\bReactDOM\s*\.\s*render\s*\(/

/**
 * The files of an artifact as a project that runs with its own npm scripts: what it lacks of package.json, Vite's
 * configuration, a page and an entry is added; what it has stays as it is, but for scripts and dependencies that are not
 * there. Projects of other kinds (Python, PHP …) are given back unchanged.
 */
export function runnableProject(title: string, files: readonly ProjectFile[]): ProjectFile[] {
  const known = new Map(files.map(file => [file.path, file.content]))
  const isWeb = files.some(file => web.test(file.path))
  if (!isWeb || files.some(file => /\.(?:py|php|rb|go|rs|java|cs)$/i.test(file.path))) return [...files]
  const manifest = readManifest(known.get('package.json'))
  // A manifest that is no JSON, or one with a build of its own, says that its maker knows better.
  if (manifest === null) return [...files]
  const added = new Map<string, string>()
  const isReact = files.some(
    file =>
      /\.[jt]sx$/.test(file.path) || (script.test(file.path) && /from\s*['"]react['"/]/.test(file.content)),
  )
  addPage(title, files, { known, added, isReact })
  const hasConfig = files.some(file => /^vite\.config\.[mc]?[jt]s$/.test(file.path))
  if (!hasConfig) added.set('vite.config.js', viteConfig(isReact))
  const all = [...files, ...[...added].map(([path, content]) => ({ path, content }))]
  const completed = completeManifest(title, manifest, { files: all, isReact })
  return [{ path: 'package.json', content: completed }, ...all.filter(file => file.path !== 'package.json')]
}

interface Additions {
  known: ReadonlyMap<string, string>
  added: Map<string, string>
  isReact: boolean
}

function addPage(title: string, files: readonly ProjectFile[], { known, added, isReact }: Additions): void {
  if (known.has('index.html')) return
  const other = files.find(file => page.test(file.path) && !file.path.includes('/'))
  if (other) {
    added.set('index.html', other.content)
    return
  }
  const entry = entryOf(files)
  let start = entry?.path ?? null
  if (entry && isReact && !mounts.test(entry.content)) {
    start = 'main.jsx'
    for (let count = 2; known.has(start); count++) start = `main-${count}.jsx`
    added.set(start, mountOf(entry))
  }
  const styles = start === null ? files.filter(file => file.path.endsWith('.css')) : []
  const links = styles.map(file => `<link rel="stylesheet" href="/${escapeHtml(file.path)}">\n`).join('')
  const body = start === null ? '' : `<script type="module" src="/${escapeHtml(start)}"></script>\n`
  added.set(
    'index.html',
    `<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<meta name="viewport" content="width=device-width, initial-scale=1">\n<title>${escapeHtml(title)}</title>\n${links}</head>\n<body>\n<div id="root"></div>\n${body}</body>\n</html>\n`,
  )
}

function entryOf(files: readonly ProjectFile[]): ProjectFile | null {
  const found = files
    .filter(file => script.test(file.path) && !configFile.test(file.path))
    .sort((a, b) => a.path.split('/').length - b.path.split('/').length)
  for (const name of ['main', 'index', 'app']) {
    const match = found.find(file => new RegExp(`(?:^|/)${name}\\.\\w+$`, 'i').test(file.path))
    if (match) return match
  }
  return found.find(file => /\.[jt]sx$/.test(file.path)) ?? found[0] ?? null
}

function mountOf(entry: ProjectFile): string {
  const { content } = entry
  const isDefault = /\bexport\s+default\b|\bexport\s*\{[^}]{0,500}\bas\s+default\b/.test(content)
  const named = [...content.matchAll(/^export\s+(?:async\s+)?(?:function|const|let|class)\s+([A-Z]\w*)/gm)]
  const name = named.find(match => match[1] === 'App')?.[1] ?? named.at(-1)?.[1]
  const from = JSON.stringify(`./${entry.path}`)
  const imported = isDefault || !name ? `import App from ${from}` : `import { ${name} as App } from ${from}`
  return `import { createRoot } from 'react-dom/client'\n${imported}\n\ncreateRoot(document.getElementById('root')).render(<App />)\n`
}

function viteConfig(isReact: boolean): string {
  return isReact
    ? "import react from '@vitejs/plugin-react'\nimport { defineConfig } from 'vite'\n\nexport default defineConfig({ plugins: [react()] })\n"
    : "import { defineConfig } from 'vite'\n\nexport default defineConfig({})\n"
}

type Manifest = Record<string, unknown>

function readManifest(text: string | undefined): Manifest | null {
  if (text === undefined) return {}
  try {
    const value: unknown = JSON.parse(text)
    return isRecord(value) ? value : null
  } catch {
    return null
  }
}

interface Needs {
  files: readonly ProjectFile[]
  isReact: boolean
}

function completeManifest(title: string, manifest: Manifest, { files, isReact }: Needs): string {
  const given = {
    ...(isRecord(manifest.devDependencies) ? manifest.devDependencies : {}),
    ...(isRecord(manifest.dependencies) ? manifest.dependencies : {}),
  }
  const lacks = ([name]: [string, string]) => !Object.hasOwn(given, name)
  const used = new Map(importedPackages(files).map(name => [name, libraryVersion(name)]))
  if (isReact) for (const name of ['react', 'react-dom']) used.set(name, libraryVersion(name))
  const tools: [string, string][] = ['vite', ...(isReact ? ['@vitejs/plugin-react'] : [])].map(name => [
    name,
    libraryVersion(name),
  ])
  const dependencies = Object.fromEntries([...used].filter(lacks).sort(byName))
  const devDependencies = Object.fromEntries(tools.filter(lacks).sort(byName))
  const completed = {
    name: nameOf(title),
    version: '0.1.0',
    private: true,
    type: 'module',
    ...manifest,
    scripts: { ...scripts, ...(isRecord(manifest.scripts) ? manifest.scripts : {}) },
    dependencies: { ...(isRecord(manifest.dependencies) ? manifest.dependencies : {}), ...dependencies },
    devDependencies: {
      ...(isRecord(manifest.devDependencies) ? manifest.devDependencies : {}),
      ...devDependencies,
    },
  }
  return `${JSON.stringify(completed, null, 2)}\n`
}

/** Import and export statements with a clause of names only, bare imports, and calls of import and require. */
const moduleNames =
  /(?:^|[\s;}])(?:import|export)\s*[\p{L}\p{N}_$*{},\s]{1,2000}?[\s}*]from\s*['"]([^'"\n]{1,200})['"]|(?:^|[\s;}])import\s*['"]([^'"\n]{1,200})['"]|\b(?:import|require)\s*\(\s*['"]([^'"\n]{1,200})['"]/gu

/** Nothing that is merely quoted may count: what is named here is installed on somebody's machine. */
function importedPackages(files: readonly ProjectFile[]): string[] {
  const found = new Set<string>()
  for (const file of files) {
    if (!script.test(file.path) || configFile.test(file.path)) continue
    for (const [, clause, bare, called] of file.content.matchAll(moduleNames)) {
      const name = /^(@[a-z0-9][\w.-]*\/[a-z0-9][\w.-]*|[a-z0-9][\w.-]*)(?:\/|$)/.exec(
        clause ?? bare ?? called ?? '',
      )?.[1]
      if (name && !isBuiltin(name)) found.add(name)
    }
  }
  return [...found]
}

function byName(a: [string, string], b: [string, string]): number {
  return a[0] < b[0] ? -1 : 1
}

function nameOf(title: string): string {
  const slug = title
    .normalize('NFKD')
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
  return slug.replaceAll(/^-+|-+$/g, '').slice(0, 60) || 'project'
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function escapeHtml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;')
}
