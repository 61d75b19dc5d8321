/** An answer that may still grow, taken apart: what it says, and the plugin that it holds. */
export interface SplitAnswer {
  prose: string
  /** Null while no block of PHP has begun. */
  code: string | null
}

/**
 * Tells what is said from the code, also while the block of code is still open. Only for showing: what becomes a
 * version is told by the server.
 */
export function splitAnswer(text: string): SplitAnswer {
  const fence = /^ {0,3}(`{3,}|~{3,})[ \t]*(?:php\d?)[^\n]*(?:\n|$)/m.exec(text)
  if (!fence) return { prose: text.trim(), code: null }
  const rest = text.slice(fence.index + fence[0].length)
  const end = new RegExp(`^ {0,3}${fence[1]}[ \\t]*$`, 'm').exec(rest)
  const before = text.slice(0, fence.index)
  // A fence that is being written is not code yet.
  if (!end) return { prose: before.trim(), code: rest.replace(/\n?[`~]{1,3}$/, '') }
  const after = rest.slice(end.index + end[0].length)
  return { prose: `${before.trim()}\n\n${after.trim()}`.trim(), code: rest.slice(0, end.index) }
}
