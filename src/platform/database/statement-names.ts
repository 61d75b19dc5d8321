/**
 * Names under which connections keep SQL texts prepared. A text gets one when it is seen a second time, and there is a
 * limit, since neither the server nor the driver forgets a prepared statement before its connection ends.
 */
const names = new Map<string, string>()
let seenOnce = new Set<string>()

const maxNames = 500
const maxSeenOnce = 1_000
const maxTextLength = 20_000

/** The name of a text, or undefined when it is not worth one (yet). */
export function nameFor(text: string): string | undefined {
  const name = names.get(text)
  if (name !== undefined || names.size >= maxNames || text.length > maxTextLength) return name
  if (seenOnce.delete(text)) return giveName(text)
  if (seenOnce.size >= maxSeenOnce) seenOnce = new Set()
  seenOnce.add(text)
  return undefined
}

/** Gives a text its name at once: for statements that are written down in the code, which are few. */
export function giveName(text: string): string {
  const name = names.get(text) ?? `s${names.size + 1}`
  names.set(text, name)
  return name
}
