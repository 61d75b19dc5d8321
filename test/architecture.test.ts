import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { describe, expect, test } from 'vitest'

const root = resolve(import.meta.dirname, '..')
const src = join(root, 'src')

const layers = ['lib', 'platform', 'transport', 'features', 'dialects', 'app', 'verbs', 'main']
const platformOrder = [
  'secrets',
  'database',
  'redis',
  'cache',
  'queue',
  'events',
  'files',
  'mail',
  'sms',
  'models',
  'payments',
  'bundler',
]
const featureOrder = [
  'accounts',
  'billing',
  'keys',
  'generations',
  'artifacts',
  'conversations',
  'plugins',
  'library',
  'operations',
]
const ranksInFeature = [/^schema/, /^store/, /./, /^index/, /^(routes|jobs)/]

const maxLines = 400
const maxTestLines = 500

interface Arrow {
  from: string
  to: string
}

function sources(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter(path => /\.(ts|tsx)$/.test(path))
    .map(path => join(folder, path))
}

const files = sources(src)
const isTest = (path: string) =>
  /\.test\.tsx?$|\/contract\.ts$|^test\//.test(path.startsWith(root) ? relative(root, path) : path)

function importsOf(file: string): string[] {
  const text = readFileSync(file, 'utf8')
  const found = text.matchAll(/(?:from|import)\s*\(?\s*'(\.{1,2}\/[^']+)'/g)
  return [...found].map(match => resolve(dirname(file), match[1] ?? ''))
}

const arrows: Arrow[] = files
  .filter(file => !isTest(file))
  .flatMap(from => importsOf(from).map(to => ({ from: relative(src, from), to: relative(src, to) })))

/** Layer of a path in src; files at the top are layers of their own: config is a leaf, app and main are the roof. */
function layerOf(path: string): number {
  const top = path.split('/')[0] ?? ''
  if (top === 'config.ts') return 0
  return layers.indexOf(top.replace(/\.ts$/, ''))
}

function show(bad: readonly Arrow[]): string[] {
  return bad.map(arrow => `${arrow.from} → ${arrow.to}`)
}

describe('architecture', () => {
  test('every file is in a known room', () => {
    const lost = files.map(file => relative(src, file)).filter(path => layerOf(path) < 0)
    expect(lost).toEqual([])
  })

  test('imports point downward between layers', () => {
    const bad = arrows.filter(
      ({ from, to }) => layerOf(to) > layerOf(from) || (to.startsWith('..') && !from.startsWith('verbs/')),
    )
    expect(show(bad)).toEqual([])
  })

  test('inside a layer only earlier folders are imported', () => {
    const bad = arrows.filter(({ from, to }) => {
      const [layer, folder = ''] = from.split('/')
      const [otherLayer, otherFolder = ''] = to.split('/')
      if (layer !== otherLayer || folder === otherFolder) return false
      const order = layer === 'features' ? featureOrder : layer === 'platform' ? platformOrder : null
      return order !== null && order.indexOf(otherFolder) >= order.indexOf(folder)
    })
    expect(show(bad)).toEqual([])
  })

  test('every platform and feature folder has its place in the order', () => {
    const folders = (layer: string) =>
      new Set(
        files
          .map(file => relative(src, file).split('/'))
          .filter(path => path[0] === layer && path.length > 2)
          .map(path => path[1]),
      )
    expect([...folders('platform')].filter(name => !platformOrder.includes(name ?? ''))).toEqual([])
    expect([...folders('features')].filter(name => !featureOrder.includes(name ?? ''))).toEqual([])
  })

  test('features, dialects and transport see ports, never adapters', () => {
    const bad = arrows.filter(
      ({ from, to }) =>
        /^(features|dialects|transport)\//.test(from) &&
        to.startsWith('platform/') &&
        !/^platform\/[^/]+\/index\.ts$/.test(to),
    )
    expect(show(bad)).toEqual([])
  })

  test('another feature is entered through its index or schema', () => {
    const bad = arrows.filter(({ from, to }) => {
      const isOther = to.startsWith('features/') && from.split('/')[1] !== to.split('/')[1]
      return (
        isOther &&
        /^(features|dialects)\//.test(from) &&
        !/^features\/[^/]+\/(index|schema[^/]*)\.ts$/.test(to)
      )
    })
    expect(show(bad)).toEqual([])
  })

  test('inside a feature: schema → store → rules → index → routes and jobs', () => {
    const rank = (path: string) =>
      ranksInFeature.findIndex((pattern, at) => at !== 2 && pattern.test(path.split('/')[2] ?? ''))
    const rankOf = (path: string) => (rank(path) === -1 ? 2 : rank(path))
    const bad = arrows.filter(({ from, to }) => {
      const sameFeature = from.startsWith('features/') && from.split('/')[1] === to.split('/')[1]
      return sameFeature && to.startsWith('features/') && rankOf(to) > rankOf(from)
    })
    expect(show(bad)).toEqual([])
  })

  test('there are no import cycles', () => {
    expect(cycles(arrows)).toEqual([])
  })

  test('the environment is read in config.ts alone', () => {
    const readers = files
      .filter(file => !isTest(file) && /process\.env\b/.test(readFileSync(file, 'utf8')))
      .map(file => relative(src, file))
    expect(readers.filter(file => file !== 'config.ts' && file !== 'main.ts')).toEqual([])
    expect(readFileSync(join(src, 'main.ts'), 'utf8').match(/process\.env/g)?.length).toBe(1)
  })

  test('no file outgrows its budget', () => {
    const own = [...files, ...['web', 'test', 'bench'].flatMap(folder => sources(join(root, folder)))]
    const tooLong = own
      .filter(file => !/\/(tables|common-passwords)\.ts$/.test(file))
      .map(file => ({ file: relative(root, file), lines: readFileSync(file, 'utf8').split('\n').length }))
      .filter(({ file, lines }) => lines > (isTest(file) ? maxTestLines : maxLines))
    expect(tooLong).toEqual([])
  })

  test('no folder or file hides behind a name that says nothing', () => {
    const vague = /(^|[/-])(utils?|helpers?|common|manager|base)(\.|\/|-|$)/
    const named = files
      .map(file => relative(src, file))
      .filter(path => vague.test(path) && !path.includes('common-passwords'))
    expect(named).toEqual([])
  })
})

function cycles(all: readonly Arrow[]): string[] {
  const targets = new Map<string, string[]>()
  for (const { from, to } of all) targets.set(from, [...(targets.get(from) ?? []), to])
  const state = new Map<string, 'open' | 'done'>()
  const found: string[] = []
  const visit = (file: string, path: readonly string[]): void => {
    if (state.get(file) === 'done') return
    if (state.get(file) === 'open') {
      found.push([...path.slice(path.indexOf(file)), file].join(' → '))
      return
    }
    state.set(file, 'open')
    for (const target of targets.get(file) ?? []) visit(target, [...path, file])
    state.set(file, 'done')
  }
  for (const file of targets.keys()) visit(file, [])
  return found
}
