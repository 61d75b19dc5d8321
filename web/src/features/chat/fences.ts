/** A piece of what a person wrote: plain words, or a block of code that they fenced. */
export type Piece = { text: string } | { code: string; language: string }

/** Takes fenced blocks out of a text; all else stays as it was written, also a fence that is never closed. */
export function splitFences(text: string): Piece[] {
  const pieces: Piece[] = []
  let lines: string[] = []
  let open: { marks: number; language: string; at: number } | null = null
  for (const line of text.split('\n')) {
    const [, marks = '', info = ''] = /^(`{3,})([^`]*)$/.exec(line) ?? []
    if (open && marks.length >= open.marks && info.trim() === '') {
      pieces.push(...wordsIn(lines.slice(0, open.at)))
      pieces.push({ code: lines.slice(open.at + 1).join('\n'), language: open.language })
      lines = []
      open = null
      continue
    }
    if (!open && marks) {
      const [language = ''] = info.trim().split(/\s/)
      open = { marks: marks.length, language, at: lines.length }
    }
    lines.push(line)
  }
  // Without a block, not even the empty lines around it change.
  return pieces.length === 0 ? [{ text }] : [...pieces, ...wordsIn(lines)]
}

function wordsIn(lines: readonly string[]): Piece[] {
  const text = lines.join('\n')
  return text.trim() === '' ? [] : [{ text: text.replace(/^\n+|\n+$/g, '') }]
}
