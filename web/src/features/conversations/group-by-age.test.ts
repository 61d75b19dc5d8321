import { expect, test } from 'vitest'
import type { Conversation } from '../../api/types.ts'
import { groupByAge } from './group-by-age.ts'

const now = new Date(2026, 10, 20, 9, 30)

function at(...date: [number, number, number, number?]): Conversation {
  const time = new Date(...date).toISOString()
  return {
    id: time,
    kind: 'chat',
    title: time,
    systemPrompt: null,
    messageCount: 2,
    createdAt: time,
    updatedAt: time,
  }
}

test('conversations stand under their age by the reader’s calendar, in their order', () => {
  const list = [at(2026, 10, 20, 0), at(2026, 10, 19, 23), at(2026, 10, 14), at(2026, 9, 2), at(2026, 9, 1)]
  const groups = groupByAge(list, now)
  expect(groups.map(group => group.conversations.length)).toEqual([1, 1, 1, 2])
  expect(groups.map(group => group.label).slice(0, 3)).toEqual(['Today', 'Yesterday', 'Previous 7 days'])
  expect(groups[3]?.label).toMatch(/2026/)
})
