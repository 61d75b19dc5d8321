import type { ModelMessage, ModelRequest } from '../index.ts'

/** Which component of the sandbox's box of templates is meant. */
export type ComponentKind =
  | 'button'
  | 'counter'
  | 'card'
  | 'form'
  | 'todo'
  | 'table'
  | 'modal'
  | 'tabs'
  | 'timer'
  | 'panel'

/** How the thing should look and what it is about; follow-ups change this. */
export interface Look {
  /** A few plain words, safe in a sentence; never empty. */
  subject: string
  /** What a button says. */
  label: string
  accent: string
  colour: string
  isDark: boolean
  isLarge: boolean
}

/** What a conversation asks for with its last message. */
export type Wish =
  | ({ kind: 'component'; component: ComponentKind } & Built)
  | ({ kind: 'page' } & Built)
  | ({ kind: 'project' } & Built)
  | { kind: 'plugin'; look: Look; isFinal: boolean }
  | { kind: 'content'; content: ContentKind; look: Look }
  | { kind: 'snippet'; language: 'python' | 'javascript' | 'typescript' | 'css'; look: Look }
  | { kind: 'summary' }
  | { kind: 'talk'; look: Look }

/** How something that can be shown is wanted. */
export interface Built {
  look: Look
  /** What was made before is made once more, with what was asked since: another look, or without its fault. */
  change: 'none' | 'look' | 'mended'
  /** Whether the code must not build, so that mending can be tried. */
  isBroken: boolean
}

export type ContentKind = 'outline' | 'article' | 'description' | 'caption' | 'email' | 'ad' | 'seo'

const colours = new Map([
  ['blue', '#2563eb'],
  ['red', '#dc2626'],
  ['green', '#16a34a'],
  ['purple', '#7c3aed'],
  ['violet', '#7c3aed'],
  ['pink', '#db2777'],
  ['orange', '#ea580c'],
  ['yellow', '#ca8a04'],
  ['teal', '#0d9488'],
  ['black', '#171717'],
  ['gray', '#4b5563'],
  ['grey', '#4b5563'],
  ['indigo', '#4f46e5'],
])

const components: readonly (readonly [RegExp, ComponentKind])[] = [
  [/\b(to-?do|task list|checklist)\b/i, 'todo'],
  [/\bcounter\b/i, 'counter'],
  [/\b(modal|dialog|popup|pop-up)\b/i, 'modal'],
  [/\b(table|data ?grid)\b/i, 'table'],
  [/\b(form|sign-?up|log-?in|contact|newsletter)\b/i, 'form'],
  [/\btabs?\b/i, 'tabs'],
  [/\b(timer|stopwatch|clock|countdown)\b/i, 'timer'],
  [/\b(card|profile|pricing)\b/i, 'card'],
  [/\bbuttons?\b/i, 'button'],
]

const contents: readonly (readonly [RegExp, ContentKind])[] = [
  [/blog[ -]post[ -]outline|\boutline\b/i, 'outline'],
  [/product[ -]description/i, 'description'],
  [/social[ -]media[ -]caption|\bcaption\b|\binstagram\b|\btweet\b/i, 'caption'],
  [/\bad (copy|text)\b|\badvert(isement)?\b/i, 'ad'],
  [/\bseo\b|\bmeta description\b/i, 'seo'],
  [/\be-?mail\b/i, 'email'],
  [/blog[ -]post|\bblog\b|\barticle\b|\bessay\b/i, 'article'],
]

const changePattern =
  /^(please |now |and |ok(ay)?,? |can you |could you )*(make (it|this|that|them)|change|turn (it|this)|use|set|colou?r|paint|try|give (it|this)|bigger|smaller|larger|darker|add (a )?dark|switch|rename|call it)\b/i

/** A wish that something be mended, as a person or “Fix this” says it. */
const fixPattern =
  /^(?:please |now |can you |could you )*fix\b|\bPlease fix it and give the whole corrected code\b/i

/** A wish for code that does not build. */
const brokenPattern =
  /\b(?:broken(?! (?:links?|images?|pages?|items?)\b)|buggy|with (?:a|an|some) (?:bug|bugs|error|mistake|syntax error|build error)|(?:does not|doesn['’]t|won['’]t|fails to) (?:build|compile))\b/i

/** Reads the whole conversation: the last message decides, a short change applies to what was made before. */
export function readWish(request: ModelRequest): Wish {
  const asked = request.messages.filter(message => message.role === 'user')
  const last = asked.at(-1)?.content.trim() ?? ''
  const system = request.system ?? ''
  const named = contentNamed(system)
  if (named) return { kind: 'content', content: named, look: lookOf(last) }
  if (isPlugin(system, asked)) return pluginWish(last, asked)
  if (/\bsummari[sz]e|\bsummary\b/i.test(system)) return { kind: 'summary' }
  const content = contents.find(([pattern]) => pattern.test(system))?.[1]
  if (content) return { kind: 'content', content, look: lookOf(last) }
  if (fixPattern.test(last) || (last.length < 120 && changePattern.test(last))) {
    const changed = changedWish(asked)
    if (changed) return changed
  }
  return wishOf(last)
}

/** The type of content that instructions name in their first line, whatever else they say. */
function contentNamed(system: string): ContentKind | undefined {
  const name = /^Content type: (.+)$/m.exec(system)?.[1] ?? ''
  return contents.find(([pattern]) => pattern.test(name))?.[1]
}

/** What one message asks for when it is read by itself. */
function wishOf(text: string): Wish {
  const look = lookOf(text)
  const built: Built = { look, change: 'none', isBroken: brokenPattern.test(text) }
  const language = /\b(python|javascript|typescript|css)\b/i.exec(text)?.[1]?.toLowerCase()
  const component = components.find(([pattern]) => pattern.test(text))?.[1]
  if (/\b(project|several files|multiple files|multi-file|vite|whole app|full app)\b/i.test(text)) {
    return { kind: 'project', ...built }
  }
  if (/\bhtml\b|\b(landing|web|home)[ -]?page\b|\bwebsite\b/i.test(text))
    return { kind: 'page', ...built, isBroken: false }
  if (/\b(react|component|tsx|jsx|widget|ui)\b/i.test(text)) {
    return { kind: 'component', component: component ?? 'panel', ...built }
  }
  const content = contents.find(([pattern]) => pattern.test(text))?.[1]
  if (content && !/\bform\b/i.test(text)) return { kind: 'content', content, look }
  if (language === 'python' || language === 'javascript' || language === 'typescript' || language === 'css') {
    return { kind: 'snippet', language, look }
  }
  const isOrder = /\b(build|create|make|generate|design|code|write|show|add|need|want)\b/i.test(text)
  if (component && (isOrder || text.length < 40)) return { kind: 'component', component, ...built }
  return { kind: 'talk', look }
}

/** The last thing that was built, with every change since; undefined when nothing was built. */
function changedWish(asked: readonly ModelMessage[]): Wish | undefined {
  const texts = asked.map(message => message.content.trim())
  const isChange = (text: string) => changePattern.test(text) || fixPattern.test(text)
  const built = texts.findLastIndex(text => 'isBroken' in wishOf(text) && !isChange(text))
  const wish = wishOf(texts[built] ?? '')
  if (!('isBroken' in wish)) return undefined
  const since = texts.slice(built + 1)
  // What is told of an error is no wish for another look.
  const look = since.filter(text => !fixPattern.test(text)).reduce(changeLook, wish.look)
  return {
    ...wish,
    look,
    change: fixPattern.test(since.at(-1) ?? '') ? 'mended' : 'look',
    isBroken: wish.isBroken && !since.some(text => fixPattern.test(text)),
  }
}

function changeLook(look: Look, text: string): Look {
  const colour = colourIn(text)
  const name = /\b(?:rename|call)(?: (?:it|this))?(?: to)? "?([^".\n]{1,40})"?/i.exec(text)?.[1]
  return {
    subject: name ? plainWords(name) || look.subject : look.subject,
    label: labelIn(text) ?? look.label,
    colour: colour ?? look.colour,
    accent: (colour && colours.get(colour)) ?? look.accent,
    isDark: look.isDark || /\bdark\b/i.test(text),
    isLarge: /\b(bigger|larger|big|large|huge)\b/i.test(text) || (look.isLarge && !/\bsmall/i.test(text)),
  }
}

function lookOf(text: string): Look {
  const plain: Look = {
    subject: subjectOf(text),
    label: 'Click me',
    accent: '#4f46e5',
    colour: 'indigo',
    isDark: false,
    isLarge: false,
  }
  const { subject, ...look } = changeLook(plain, text)
  return { subject: plain.subject || subject, ...look }
}

function labelIn(text: string): string | undefined {
  const quoted = /\b(?:says?|saying|label(?:led|ed)?|text) (?:to )?["'“]?([^"'”.,\n]{1,40})/i.exec(text)?.[1]
  return quoted ? plainWords(quoted) || undefined : undefined
}

function colourIn(text: string): string | undefined {
  const words = text.toLowerCase().match(/[a-z]+/g) ?? []
  return words.find(word => colours.has(word))
}

const noise =
  /^(?:(?:please|can|could|you|i|we|would|like|need|want|to|hi|hello|me|for|us|my|build|create|make|generate|design|write|show|give|add|code|a|an|the|some|simple|small|nice|react|tsx|jsx|html|component|widget|one|file|about|that|which|with|woocommerce|wordpress|plugin|blog|post|outline|product|description|social|media|caption|e-?mail|article|of|shows|adds|displays|makes|lets|landing|web|home|page|website|project|several|multiple|files|instagram|function|python|javascript|typescript|using|in)\b[\s,:-]*)+/i

const brokenPhrase = new RegExp(`(?:\\b(?:that|which|but|it) )*${brokenPattern.source}`, 'gi')

/** What the message is about, in a few plain words. */
function subjectOf(text: string): string {
  const line = (text.split('\n', 1)[0] ?? '').slice(0, 300)
  const rest = line
    .replace(brokenPhrase, ' ')
    .trim()
    .replace(noise, '')
    .replace(/\s+(in|with|using) (react|html|tsx|typescript|css)\b.*$/i, '')
  return plainWords(rest) || plainWords(line) || 'your idea'
}

/** Letters, digits and simple punctuation only, so that the words can stand in code, markup and prose alike. */
function plainWords(text: string): string {
  return text
    .replace(/[^\p{L}\p{N}\s,-]/gu, ' ')
    .replace(/\s+/g, ' ')
    .trim()
    .split(' ')
    .slice(0, 8)
    .join(' ')
    .slice(0, 60)
    .replace(/[\s,-]+$/, '')
}

function isPlugin(system: string, asked: readonly ModelMessage[]): boolean {
  if (/woocommerce|wordpress plugin/i.test(system)) return true
  const last = asked.at(-1)?.content ?? ''
  if (/woo-?commerce|wordpress/i.test(last) && !/\b(blog|article|post about)\b/i.test(last)) return true
  return isFinalize(last) && asked.some(message => /woo-?commerce|wordpress|plugin/i.test(message.content))
}

function isFinalize(text: string): boolean {
  return /^\s*finali[sz]e\b/i.test(text) || /\bfinal (plugin|code|version)\b/i.test(text)
}

function pluginWish(last: string, asked: readonly ModelMessage[]): Wish {
  const topic = asked.find(message => message.content.length > 12 && !isFinalize(message.content)) ?? asked[0]
  return { kind: 'plugin', look: lookOf(topic?.content ?? last), isFinal: isFinalize(last) }
}
