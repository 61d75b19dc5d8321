import pg from 'pg'

const int8 = 20
const date = 1082
const numeric = 1700
const int8Array = 1016

/** How values become ours: numbers are numbers (ours stay far below 2^53), dates without a time stay text, timestamptz is a Date. */
export const types = {
  getTypeParser(oid: number, format?: string) {
    if (format !== 'binary') {
      if (oid === int8 || oid === numeric) return Number
      if (oid === date) return String
      if (oid === int8Array) return toNumbers
    }
    return pg.types.getTypeParser(oid, format as 'text')
  },
} as pg.CustomTypesConfig

function toNumbers(text: string): (number | null)[] {
  if (text === '{}') return []
  return text
    .slice(1, -1)
    .split(',')
    .map(each => (each === 'NULL' ? null : Number(each)))
}
