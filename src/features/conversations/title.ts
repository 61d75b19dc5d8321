const longest = 50

/** A title from the first message: its words on one line, at most 50 characters, "..." when cut. */
export function titleOf(message: string): string {
  const line = message
    .replace(/```[\s\S]*?(```|$)/g, ' ')
    .replace(/[#*_`>|]+/g, ' ')
    .replace(/\s+/g, ' ')
    .trim()
  const text = Array.from(line || message.trim().replace(/\s+/g, ' '))
  return text.length <= longest
    ? text.join('') || 'New conversation'
    : `${text.slice(0, longest - 3).join('')}...`
}
