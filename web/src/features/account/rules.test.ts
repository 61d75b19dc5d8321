import { expect, test } from 'vitest'
import { addressProblem, codeProblem, passwordProblem, readAddress } from './rules.ts'

test('one field takes either address', () => {
  expect(readAddress(' ada@example.com ')).toEqual({ email: 'ada@example.com' })
  expect(readAddress('+1 415 555 0123')).toEqual({ mobile: '+1 415 555 0123' })
})

test('the problem of an address says what to do', () => {
  expect(addressProblem('ada@example.com')).toBeUndefined()
  expect(addressProblem('+1 (415) 555-0123')).toBeUndefined()
  expect(addressProblem('415 555 0123')).toMatch(/country code/)
  expect(addressProblem('ada@')).toMatch(/e-mail/)
  expect(addressProblem('ada')).toMatch(/neither/)
})

test('passwords are counted in characters, codes in digits', () => {
  expect(passwordProblem('🎉'.repeat(7))).toMatch(/8/)
  expect(passwordProblem('🎉'.repeat(8))).toBeUndefined()
  expect(codeProblem('12345')).toMatch(/six/)
  expect(codeProblem('123456')).toBeUndefined()
})
