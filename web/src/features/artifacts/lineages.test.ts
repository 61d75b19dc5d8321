import { expect, test } from 'vitest'
import type { ListedArtifact } from '../../api/types.ts'
import { lineagesOf, lineageWith } from './lineages.ts'

function artifact(id: string, lineageId: string, version: number, second: number): ListedArtifact {
  const createdAt = new Date(second * 1_000).toISOString()
  const rest = { title: lineageId, type: 'REACT' as const, language: 'tsx', fileCount: 1, size: 10 }
  return { id, lineageId, version, createdAt, messageId: 'm', generationId: 'g', model: null, ...rest }
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
