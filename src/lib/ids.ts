import { randomFillSync } from 'node:crypto'

const random = Buffer.alloc(4096)
let used = random.length
let lastMs = 0
let sequence = 0

/**
 * A new id: UUID version 7, rising within a process, so that indexes stay compact. Random bytes are fetched by the page,
 * because fetching them for each id costs more than all the rest.
 */
export function newId(): string {
  if (used + 10 > random.length) {
    randomFillSync(random)
    used = 0
  }
  const now = Date.now()
  if (now > lastMs) {
    lastMs = now
    // Half of the range is left to count on in.
    sequence = ((random[used] ?? 0) << 3) | ((random[used + 1] ?? 0) & 7)
  } else if (++sequence > 0xfff) {
    lastMs += 1
    sequence = 0
  }
  random[used + 2] = ((random[used + 2] ?? 0) & 0x3f) | 0x80
  const tail = random.toString('hex', used + 2, used + 10)
  used += 10
  const time = lastMs.toString(16).padStart(12, '0')
  const counter = (0x7000 | sequence).toString(16)
  return `${time.slice(0, 8)}-${time.slice(8)}-${counter}-${tail.slice(0, 4)}-${tail.slice(4)}`
}

const uuidPattern = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i

/** Whether the text has the form of a UUID; ids of any other form cannot exist here. */
export function isId(text: string): boolean {
  return uuidPattern.test(text)
}
