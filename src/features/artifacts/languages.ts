import type { ArtifactType } from './schema.ts'

const aliases = table({
  js: 'javascript',
  mjs: 'javascript',
  cjs: 'javascript',
  node: 'javascript',
  ts: 'typescript',
  mts: 'typescript',
  react: 'jsx',
  reactjs: 'jsx',
  py: 'python',
  python3: 'python',
  htm: 'html',
  xhtml: 'html',
  yml: 'yaml',
  md: 'markdown',
  sh: 'bash',
  shell: 'bash',
  zsh: 'bash',
  'shell-session': 'bash',
  console: 'bash',
  terminal: 'bash',
  ps1: 'powershell',
  rb: 'ruby',
  rs: 'rust',
  kt: 'kotlin',
  cs: 'csharp',
  'c#': 'csharp',
  'c++': 'cpp',
  cc: 'cpp',
  h: 'c',
  txt: 'text',
  plaintext: 'text',
  plain: 'text',
  output: 'text',
  log: 'text',
  patch: 'diff',
  golang: 'go',
  dockerfile: 'docker',
  makefile: 'make',
})

const extensions = table({
  javascript: 'js',
  typescript: 'ts',
  python: 'py',
  markdown: 'md',
  bash: 'sh',
  powershell: 'ps1',
  ruby: 'rb',
  rust: 'rs',
  kotlin: 'kt',
  csharp: 'cs',
  text: 'txt',
  yaml: 'yml',
})

/** Languages whose unnamed blocks are commands or output, never a thing of their own. */
const fleeting = new Set(['bash', 'powershell', 'batch', 'text', 'diff', 'mermaid', 'ansi'])
/** Languages that are mostly shown in passing, and are a thing of their own only when long. */
const casual = new Set([
  '',
  'json',
  'jsonc',
  'json5',
  'yaml',
  'toml',
  'ini',
  'xml',
  'csv',
  'env',
  'dotenv',
  'markdown',
  'graphql',
  'http',
  'docker',
  'make',
  'nginx',
  'properties',
])
/** Languages that are a thing of their own even when short. */
const shown = new Set(['jsx', 'tsx', 'html', 'svg', 'vue', 'svelte'])
const others = new Set([...fleeting, ...casual, 'svg'])

/** The one name of a language for what people write: lower case, `js` and `node` are `javascript`. */
export function languageOf(name: string): string {
  const lower = name.toLowerCase().replace(/^\.|[,;:]+$/g, '')
  return aliases.get(lower) ?? lower
}

/** The language of a file by its name; '' when its ending says nothing. */
export function languageOfPath(path: string): string {
  const name = path.slice(path.lastIndexOf('/') + 1).toLowerCase()
  if (/^(?:dockerfile|makefile)$/.test(name)) return languageOf(name)
  const dot = name.lastIndexOf('.')
  return dot < 0 ? '' : languageOf(name.slice(dot + 1))
}

/** The file ending that suits a language, without the dot. */
export function extensionOf(language: string): string {
  return extensions.get(language) ?? (/^[a-z0-9]{1,10}$/.test(language) ? language : 'txt')
}

/** How many lines with something on them make an unnamed block worth keeping. */
export function leastLines(language: string): number {
  if (fleeting.has(language)) return Number.POSITIVE_INFINITY
  if (casual.has(language)) return 15
  return shown.has(language) ? 3 : 5
}

/** The type of a file by its language and what it says. */
export function typeOf(language: string, content: string): ArtifactType {
  switch (language) {
    case 'jsx':
    case 'tsx':
      return 'REACT'
    case 'javascript':
      return isReact(content) ? 'REACT' : 'JAVASCRIPT'
    case 'typescript':
      return isReact(content) ? 'REACT' : 'TYPESCRIPT'
    case 'html':
      return 'HTML'
    case 'css':
    case 'scss':
    case 'sass':
    case 'less':
      return 'CSS'
    case 'python':
      return 'PYTHON'
    default:
      return others.has(language) ? 'OTHER' : 'CODE'
  }
}

function isReact(content: string): boolean {
  const isImported = /(?:from|require\()\s{0,40}['"]react(?:-dom(?:\/client)?)?['"]/.test(content)
  return isImported || /(?:return|=>)\s{0,40}\(?\s{0,40}<(?:[A-Z]\w*|[a-z][\w-]*)[\s/>]/.test(content)
}

/** What a block without a language most likely is; '' when nothing speaks for one. */
export function guessLanguage(content: string): string {
  const start = content.slice(0, 2000).trimStart()
  if (/^<!doctype html|^<html[\s>]/i.test(start)) return 'html'
  if (/^(?:<\?xml[^>]*>\s*)?<svg[\s>]/i.test(start)) return 'svg'
  if (/^<\?php\b/.test(start)) return 'php'
  if (/^(?:import|export|const|let|function|class)\b/m.test(start) && /[{;]/.test(start)) {
    return isReact(content) ? 'jsx' : 'javascript'
  }
  if (/^(?:def \w+\(.*\)|class \w+.*|from \w[\w.]* import .*):?\s*$/m.test(start)) return 'python'
  return ''
}

/** Names come from models: a Map, so that `constructor` is just a name. */
function table(entries: Record<string, string>): ReadonlyMap<string, string> {
  return new Map(Object.entries(entries))
}
