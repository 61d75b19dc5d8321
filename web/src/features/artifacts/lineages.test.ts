import { expect, test } from 'vitest'
import type { ListedArtifact } from '../../api/types.ts'
import { lineagesOf, lineageWith, thingsOf, withoutMerged } from './lineages.ts'

function artifact(id: string, lineageId: string, version: number, second: number): ListedArtifact {
  const createdAt = new Date(second * 1_000).toISOString()
  const rest = { title: lineageId, type: 'REACT' as const, language: 'tsx', fileCount: 1, size: 10 }
  const from = {
    messageId: 'm',
    generationId: 'g',
    model: null,
    consolidatedFrom: [],
    consolidatedInto: null,
  }
  return { id, lineageId, version, createdAt, ...from, ...rest }
}

const made = [
  artifact('a1', 'a', 1, 1),
  artifact('b2', 'b', 2, 5),
  artifact('b1', 'b', 1, 2),
  artifact('c1', 'c', 1, 3),
]

test('versions stand together, oldest first, and what was changed last comes first', () => {
  const lineages = lineagesOf(made)
  expect(lineages.map(lineage => lineage.id)).toEqual(['b', 'c', 'a'])
  expect(lineages[0]?.versions.map(version => version.id)).toEqual(['b1', 'b2'])
  expect(lineages[0]?.newest.id).toBe('b2')
})

test('an artifact is found by any of its versions, and not when it is gone', () => {
  const lineages = lineagesOf(made)
  expect(lineageWith(lineages, 'b1')?.id).toBe('b')
  expect(lineageWith(lineages, 'x')).toBeNull()
  expect(lineageWith(lineagesOf([]), 'b1')).toBeNull()
})

test('blocks that were merged into one thing are no things of their own, until they are written anew', () => {
  const style = { ...artifact('style1', 'style', 1, 1), consolidatedInto: 'page2' }
  const page = { ...artifact('page1', 'page', 1, 1), consolidatedInto: 'page2' }
  const whole = { ...artifact('page2', 'page', 2, 2), consolidatedFrom: ['page1', 'style1'] }
  const things = (...all: ListedArtifact[]) => thingsOf(lineagesOf(all)).map(thing => thing.id)
  expect(things(page, style, whole)).toEqual(['page'])
  expect(things(page, style, whole, artifact('style2', 'style', 2, 3))).toEqual(['style', 'page'])
})

test('an answer shows what its blocks were merged into, also before the blocks say so', () => {
  const page = artifact('page1', 'page', 1, 1)
  const whole = { ...artifact('page2', 'page', 2, 2), consolidatedFrom: ['page1'] }
  expect(withoutMerged([page, whole])).toEqual([whole])
  expect(withoutMerged([{ ...page, consolidatedInto: 'page2' }])).toEqual([])
  expect(withoutMerged([page])).toEqual([page])
})
