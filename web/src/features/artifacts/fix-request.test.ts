import { expect, test } from 'vitest'
import { fixBuildRequest, fixPreviewRequest } from './fix-request.ts'

test('a failed build is handed back with place, text and line of each error', () => {
  const error = { text: 'Unexpected "}"', file: 'App.tsx', line: 12, column: 6, lineText: '      }' }
  const request = fixBuildRequest('App', { ok: false, durationMs: 1, errors: [error] })
  expect(request).toContain('“App” does not build')
  expect(request).toContain('App.tsx:12:7: Unexpected "}"\n      }')
})

test('of a preview only the errors are handed back, and not a flood of them', () => {
  const log = { id: 0, level: 'log' as const, text: 'hello', place: null }
  const errors = Array.from({ length: 50 }, (_, id) => ({
    id,
    level: 'error' as const,
    text: `boom ${id}`,
    place: 'line 3',
  }))
  const request = fixPreviewRequest('App', [log, ...errors])
  expect(request).toContain('boom 0 (line 3)')
  expect(request).not.toContain('hello')
  expect(request).not.toContain('boom 9')
})
