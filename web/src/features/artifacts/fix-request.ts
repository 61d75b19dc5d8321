import type { Build } from '../../api/types.ts'
import type { PreviewMessage } from './preview-messages.ts'

const most = 5

/** The words that hand a failed build back to the model as the next turn. */
export function fixBuildRequest(title: string, build: Build): string {
  const problems = (build.errors ?? []).slice(0, most).map(({ text, file, line, column, lineText }) => {
    const place = [file, line, column === null ? null : column + 1].filter(part => part !== null).join(':')
    return [place ? `${place}: ${text}` : text, lineText].filter(Boolean).join('\n')
  })
  return ask(`“${title}” does not build`, problems)
}

/** The words that hand what went wrong in a preview back to the model as the next turn. */
export function fixPreviewRequest(title: string, messages: readonly PreviewMessage[]): string {
  const errors = messages.filter(message => message.level === 'error').slice(0, most)
  const problems = errors.map(({ text, place }) => (place ? `${text} (${place})` : text))
  return ask(`“${title}” reports errors in its preview`, problems)
}

function ask(what: string, problems: readonly string[]): string {
  return `${what}:\n\n\`\`\`text\n${problems.join('\n\n')}\n\`\`\`\n\nPlease fix it and give the whole corrected code.`
}
