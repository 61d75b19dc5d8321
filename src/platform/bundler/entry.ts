/** What kind of page a project becomes, and the file it starts from. */
export interface Entry {
  kind: 'script' | 'page' | 'style' | 'markdown' | 'drawing'
  path: string
}

const kinds: readonly [RegExp, Entry['kind']][] = [
  [/\.(?:tsx|jsx|ts|js|mjs)$/i, 'script'],
  [/\.html?$/i, 'page'],
  [/\.(?:md|markdown)$/i, 'markdown'],
  [/\.svg$/i, 'drawing'],
  [/\.css$/i, 'style'],
]

const startNames = ['main', 'index', 'app']
const startExtensions = ['tsx', 'jsx', 'ts', 'js', 'mjs']
const configFile =
  /(?:^|\/)node_modules\/|(?:^|\/)(?:[\w.-]+\.config|[\w.-]+\.(?:test|spec|stories|d))\.[mc]?[jt]sx?$|^(?:server|api|scripts)\//

/** The entry of a project: the one asked for, or the one that people would start; null when nothing can be shown. */
export function chooseEntry(files: Readonly<Record<string, string>>, asked?: string): Entry | null {
  const paths = Object.keys(files)
  if (asked !== undefined) return paths.includes(asked) ? entryOf(asked) : null
  const shallowFirst = [...paths].sort(
    (a, b) => a.split('/').length - b.split('/').length || paths.indexOf(a) - paths.indexOf(b),
  )
  const script = chooseScript(shallowFirst)
  const pages = shallowFirst.filter(path => kindOf(path) === 'page')
  const page = pages.find(path => /(?:^|\/)index\.html?$/i.test(path)) ?? pages[0]
  if (page !== undefined) {
    // Some tools put the script into the page by themselves, so the page does not name it.
    const isFrame =
      !/<script/i.test(files[page] ?? '') && script !== null && usesReact(script, files[script] ?? '')
    if (!isFrame) return entryOf(page)
  }
  if (script !== null) return entryOf(script)
  for (const kind of ['markdown', 'drawing', 'style'] as const) {
    const found = shallowFirst.find(path => kindOf(path) === kind)
    if (found !== undefined) return { kind, path: found }
  }
  return null
}

function chooseScript(paths: readonly string[]): string | null {
  const scripts = paths.filter(path => kindOf(path) === 'script' && !configFile.test(path))
  for (const name of startNames.flatMap(name => startExtensions.map(extension => `${name}.${extension}`))) {
    const found = scripts.find(path => path.slice(path.lastIndexOf('/') + 1).toLowerCase() === name)
    if (found !== undefined) return found
  }
  return scripts.find(path => /\.[jt]sx$/.test(path)) ?? scripts[0] ?? null
}

function entryOf(path: string): Entry | null {
  const kind = kindOf(path)
  return kind === null ? null : { kind, path }
}

function kindOf(path: string): Entry['kind'] | null {
  return kinds.find(([pattern]) => pattern.test(path))?.[1] ?? null
}

/** Whether the code uses React, so that its component can be mounted. */
export function usesReact(path: string, source: string): boolean {
  return /\.[jt]sx$/.test(path) || /(?:from|import|require\()\s*['"]react(?:-dom)?['"/]/.test(source)
}

/** Whether the code puts itself on the page. */
export function mountsItself(source: string): boolean {
  return /\b(?:createRoot|hydrateRoot)\s*\(|\bReactDOM\s*\.\s*render\s*\(|\bmakeRoot\s*\(/.test(source)
}

/** Component-like names that a module exports, in the order of their writing. */
export function exportedComponents(source: string): string[] {
  const names: string[] = []
  const declared = /^export\s+(?:async\s+)?(?:function|const|let|var|class)\s+([A-Z]\w*)/gm
  const listed = /^export\s*\{([^}]{0,2000})\}/gm
  for (const match of source.matchAll(declared)) names.push(match[1] ?? '')
  for (const match of source.matchAll(listed)) {
    for (const part of (match[1] ?? '').split(',')) {
      const name = /([A-Z]\w*)\s*$/.exec(part)?.[1]
      if (name) names.push(name)
    }
  }
  return names
}

/**
 * The entry's source with what people leave out added at its end, so that lines stay where they are: an export of the
 * last component that is only declared, and the import of React by those who write `React.useState` without one.
 */
export function completeSource(source: string, isEntry: boolean): string {
  let ending = ''
  if (
    /\bReact\s*\./.test(source) &&
    !/\bimport\b[^'";]{0,500}\bReact\b|\b(?:const|let|var)\s+React\b/.test(source)
  ) {
    ending += ";import * as React from 'react'"
  }
  if (
    /\bReactDOM\s*\./.test(source) &&
    !/\bimport\b[^'";]{0,500}\bReactDOM\b|\b(?:const|let|var)\s+ReactDOM\b/.test(source)
  ) {
    ending +=
      ";import * as ReactDOMBase from 'react-dom';import { createRoot as makeRoot } from 'react-dom/client';const ReactDOM = { ...ReactDOMBase, createRoot: makeRoot }"
  }
  if (isEntry && !/\bexport\s+default\b|\bmodule\.exports\b/.test(source)) {
    const declared = [
      ...source.matchAll(/^(?:async\s+)?(?:function|const|let|var|class)\s+([A-Z]\w*)/gm),
    ].map(match => match[1])
    const name = declared.includes('App') ? 'App' : declared.at(-1)
    if (name)
      ending += `;export const __atelierComponent = () => typeof ${name} === 'undefined' ? undefined : ${name}`
  }
  return ending ? `${source}\n${ending}` : source
}
