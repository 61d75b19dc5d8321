/** An answer taken apart: what it says, and the plugin that it holds. */
export interface SplitReply {
  prose: string
  /** The code of the last whole php block that opens with `<?php`, else of the last one; null when there is none. */
  code: string | null
}

interface Fence {
  language: string
  start: number
  lines: string[]
  marker: string
}

/** Tells the prose of an answer from its code. A block that the answer ends within is no code: half a plugin is none. */
export function splitReply(text: string): SplitReply {
  const lines = text.split('\n')
  const blocks: { from: number; to: number; language: string; code: string }[] = []
  let open: Fence | null = null
  for (const [index, line] of lines.entries()) {
    const mark = /^ {0,3}(`{3,}|~{3,})\s*([\w+-]*)/.exec(line)
    if (open === null) {
      if (mark?.[1])
        open = { language: (mark[2] ?? '').toLowerCase(), start: index, lines: [], marker: mark[1] }
    } else if (mark?.[1]?.startsWith(open.marker) && line.trim() === mark[1]) {
      blocks.push({ from: open.start, to: index, language: open.language, code: open.lines.join('\n') })
      open = null
    } else open.lines.push(line.endsWith('\r') ? line.slice(0, -1) : line)
  }
  const php = blocks.filter(
    ({ language, code }) => /^php\d?$/.test(language) || (language === '' && /^\s*<\?php/.test(code)),
  )
  const chosen = php.findLast(({ code }) => /<\?php/.test(code)) ?? php.at(-1)
  if (!chosen) return { prose: text.trim(), code: null }
  const prose = [...lines.slice(0, chosen.from), ...lines.slice(chosen.to + 1)].join('\n')
  return {
    prose: prose.replace(/\n{3,}/g, '\n\n').trim(),
    code: `${chosen.code.replace(/^\s+(?=<\?php)/, '')}\n`,
  }
}
