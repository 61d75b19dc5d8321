import { readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { createTestDatabase } from '../../../test/support/database.ts'
import { describeSchema, schemaPath, tablesPath } from './dump.ts'

const committed = (path: string) => readFile(new URL(`../../../${path}`, import.meta.url), 'utf8')

test('schema.sql and tables.ts are what the migrations make (else: npm run schema)', async () => {
  await using database = await createTestDatabase()
  const { schema, tables } = await describeSchema(database.url)
  expect(schema).toBe(await committed(schemaPath))
  expect(tables).toBe(await committed(tablesPath))
})
