import { expect, test } from 'vitest'
import { initialsOf } from './format.ts'

test('initials are the first letters of the first and the last word', () => {
  expect(initialsOf('Ada')).toBe('A')
  expect(initialsOf(' ada M.  lovelace ')).toBe('AL')
  expect(initialsOf('')).toBe('')
})

test('an emoji stays whole', () => {
  expect(initialsOf('😀 Ada')).toBe('😀A')
  expect(initialsOf('Ada 👩🏽‍🚀')).toBe('A👩🏽‍🚀')
})
