import type { ModelRequest } from '../index.ts'
import { componentSource } from './components.ts'
import { pageSource, projectFiles, snippetSource } from './documents.ts'
import { broken } from './frame.ts'
import { pluginName, pluginSource } from './plugin.ts'
import { contentText, summaryText, talkText } from './prose.ts'
import { type Built, type Look, readWish } from './wish.ts'

const signature =
  '*This is the sandbox model: it answers from templates. Set a provider key (for example `GEMINI_API_KEY`) for a real one.*'

/** The answer to a conversation, always the same to the same one; one that was cut off is gone on with where it stopped. */
export function composeReply(request: ModelRequest): string {
  const [cut, wish] = request.messages.slice(-2)
  const isGoingOn =
    cut?.role === 'assistant' && wish?.role === 'user' && /\bcut off\b.*\bgo on\b/is.test(wish.content)
  if (!isGoingOn) return composeWhole(request)
  const whole = composeWhole({ ...request, messages: request.messages.slice(0, -2) })
  return whole.startsWith(cut.content) ? whole.slice(cut.content.length) : whole
}

/** A whole answer; it says that it is the sandbox model. */
function composeWhole(request: ModelRequest): string {
  const wish = readWish(request)
  switch (wish.kind) {
    case 'component': {
      const { code, what } = componentSource(wish.component, wish.look)
      return withCode(opening(wish, what), fence('tsx', wish.isBroken ? broken(code) : code))
    }
    case 'page':
      return withCode(opening(wish, 'a page in one HTML file'), fence('html', pageSource(wish.look)))
    case 'project': {
      const files = projectFiles(wish.look).map(({ language, path, code }) =>
        fence(`${language} title="${path}"`, wish.isBroken ? broken(code) : code),
      )
      return withCode(opening(wish, `a project of ${files.length} files`), files.join('\n\n'))
    }
    case 'snippet':
      return withCode(
        `A first version in ${wish.language}:`,
        fence(wish.language, snippetSource(wish.language, wish.look)),
      )
    case 'plugin':
      return pluginReply(wish.look, wish.isFinal)
    case 'content':
      return `${contentText(wish.content, wish.look)}\n\n${signature}`
    case 'summary':
      return summaryText(request)
    case 'talk':
      return `${talkText(request, wish.look)}\n\n${signature}`
  }
}

function pluginReply(look: Look, isFinal: boolean): string {
  const code = fence('php', pluginSource(look))
  const { name } = pluginName(look)
  if (isFinal)
    return withCode(`Here is the final version of **${name}**, in one file, ready to be installed:`, code)
  return `A first draft of **${name}**. It shows a notice on product pages and has its own settings page.

${code}

Before it is final, please tell me:

1. Should the notice be on **all** products, or only on some categories?
2. Who may change the text?

Write \`Finalize\` when it is as you want it.

${signature}`
}

/** The last line becomes a title, so it tells what stays the same however the thing is changed. */
function opening({ look, change, isBroken }: Built, what: string): string {
  const shade = `${look.colour}${look.isDark ? ', on a dark ground' : ''}${look.isLarge ? ', larger' : ''}`
  const told = {
    none: isBroken ? `In ${shade}, and with a fault, so that it does not build.` : `In ${shade}.`,
    look: `Changed as you asked: ${shade}.`,
    mended: 'Once more, without a fault that I know of.',
  }
  return `${told[change]}\n\nHere is ${what} for **${look.subject}**:`
}

function withCode(sentence: string, code: string): string {
  return `${sentence}\n\n${code}\n\n${signature}`
}

function fence(info: string, code: string): string {
  return `\`\`\`${info}\n${code.trimEnd()}\n\`\`\``
}
