const longest = 240

/** The first prose of an answer without its Markdown marks, short enough to be heard. Code in a line stays as it is. */
export function spokenOpening(markdown: string): string {
  const prose = markdown
    .replace(/```[\s\S]*?(```|$)/g, ' ')
    .split(/(`+[^`]+`+)/)
    .map((piece, index) => (index % 2 === 1 ? piece.replaceAll('`', '') : withoutMarks(piece)))
    .join('')
  const short = prose.trim().replace(/\s+/g, ' ')
  return short.length > longest ? `${short.slice(0, longest)}…` : short
}

/** An underscore inside a word is no mark: names like MAX_SIZE stay. */
function withoutMarks(prose: string): string {
  return prose
    .replace(/^[ \t]*(#{1,6}|>+)[ \t]+/gm, '')
    .replace(/[*`|]/g, '')
    .replace(/(?<![\p{L}\p{N}_])_+|_+(?![\p{L}\p{N}_])/gu, '')
}
