import { AppError } from '../../lib/errors.ts'
import type { BuildOutput } from '../../platform/bundler/index.ts'

/** Something that went wrong while the code ran, as a preview told it. */
export interface RuntimeProblem {
  text: string
  place?: string | undefined
}

const most = 5

/**
 * The words that hand what is wrong with an artifact back to the model as the next turn: what the build says, else what
 * was told of its running. Throws AppError conflict NOTHING_TO_FIX when neither says anything.
 */
export function fixRequest(title: string, output: BuildOutput, problems: readonly RuntimeProblem[]): string {
  if (!output.ok) {
    const told = output.errors.map(({ text, file, line, column, lineText }) => {
      const place = [file, line, column === null ? null : column + 1].filter(part => part !== null).join(':')
      return [place ? `${place}: ${text}` : text, lineText].filter(Boolean).join('\n')
    })
    return ask(`“${title}” does not build`, told)
  }
  if (problems.length === 0) {
    const message = 'It builds. Tell in `problems` what goes wrong when it runs.'
    throw new AppError('conflict', 'NOTHING_TO_FIX', message)
  }
  const told = problems.map(({ text, place }) => (place ? `${text} (${place})` : text))
  return ask(`“${title}” reports errors in its preview`, told)
}

function ask(what: string, problems: readonly string[]): string {
  // What is told came from strangers' code: a fence in it must not end ours.
  const text = problems.slice(0, most).join('\n\n').replaceAll('```', "'''")
  return `${what}:\n\n\`\`\`text\n${text}\n\`\`\`\n\nPlease fix it and give the whole corrected code.`
}
