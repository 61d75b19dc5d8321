import {
  createCssVariablesTheme,
  createHighlighterCore,
  type GrammarState,
  type HighlighterCore,
} from 'shiki/core'
import { createJavaScriptRegexEngine } from 'shiki/engine/javascript'
import { languageLoaders, languageOf } from './languages.ts'

/** A coloured piece of one line. */
export interface Token {
  content: string
  color: string | undefined
  isItalic: boolean
}

export type Line = readonly Token[]

const theme = createCssVariablesTheme({ name: 'atelier', variablePrefix: '--shiki-', fontStyle: true })
let core: Promise<HighlighterCore> | null = null
const loaded = new Map<string, Promise<boolean>>()

/** A highlighter for growing code: lines that were coloured once are kept. */
export interface GrowingHighlighter {
  /** The lines of `code`; only lines that are new or unfinished cost anything. */
  update: (code: string) => readonly Line[]
}

/**
 * Makes a highlighter for one language; the grammar is loaded when it is first needed. Resolves with null when there
 * is no grammar for it: the code is then shown plain.
 */
export async function createGrowingHighlighter(name: string): Promise<GrowingHighlighter | null> {
  const language = languageOf(name)
  if (!language || !(await load(language))) return null
  const highlighter = await coreOf()
  return growing(highlighter, language)
}

function growing(highlighter: HighlighterCore, lang: string): GrowingHighlighter {
  let done = ''
  let state: GrammarState | undefined
  let lines: Line[] = []

  function tokens(code: string) {
    const options = { lang, theme: 'atelier', ...(state ? { grammarState: state } : {}) }
    return highlighter.codeToTokens(code, options)
  }

  return {
    update(code) {
      if (!code.startsWith(done)) {
        done = ''
        state = undefined
        lines = []
      }
      const whole = code.slice(done.length, code.lastIndexOf('\n') + 1)
      if (whole) {
        const result = tokens(whole.slice(0, -1))
        lines = [...lines, ...result.tokens.map(toLine)]
        state = result.grammarState
        done += whole
      }
      const rest = code.slice(done.length)
      return rest ? [...lines, ...tokens(rest).tokens.map(toLine)] : lines
    },
  }
}

function toLine(tokens: readonly { content: string; color?: string; fontStyle?: number }[]): Line {
  return tokens.map(({ content, color, fontStyle }) => ({
    content,
    color,
    isItalic: ((fontStyle ?? 0) & 1) === 1,
  }))
}

function coreOf(): Promise<HighlighterCore> {
  core ??= createHighlighterCore({
    themes: [theme],
    langs: [],
    engine: createJavaScriptRegexEngine({ forgiving: true }),
  })
  return core
}

function load(language: string): Promise<boolean> {
  const started = loaded.get(language)
  if (started) return started
  const loading = (async () => {
    const loader = languageLoaders[language]
    if (!loader) return false
    const [highlighter, grammar] = await Promise.all([coreOf(), loader()])
    await highlighter.loadLanguage(grammar.default)
    return true
  })().catch(() => {
    loaded.delete(language)
    return false
  })
  loaded.set(language, loading)
  return loading
}
