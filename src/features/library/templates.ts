import { readdirSync, readFileSync } from 'node:fs'
import { invalidField } from '../../lib/errors.ts'

export const lengths = ['short', 'medium', 'long'] as const
export type Length = (typeof lengths)[number]

/** One type of content: a file in templates/, named by its slug. */
export interface Template {
  slug: string
  /** As people see it. */
  name: string
  /** Other slugs that mean it. */
  aliases: readonly string[]
  /** What each length means for this type. */
  lengths: Readonly<Record<Length, string>>
  instructions: string
}

/** What a job may say beside its prompt. */
export interface Wishes {
  tone?: string | undefined
  length?: Length | undefined
  language?: string | undefined
}

const folder = new URL('./templates/', import.meta.url)
const fields = /^(name|aliases|short|medium|long): (.+)$/gm

/** Every type of content, in the order of their names. */
export const templates: readonly Template[] = readdirSync(folder)
  .filter(file => file.endsWith('.md'))
  .map(file => parse(file.replace(/\.md$/, ''), readFileSync(new URL(file, folder), 'utf8')))
  .toSorted((one, other) => one.name.localeCompare(other.name, 'en'))

const bySlug = new Map(templates.flatMap(each => [each.slug, ...each.aliases].map(slug => [slug, each])))

function parse(slug: string, text: string): Template {
  const [head = '', ...rest] = text.split('\n---\n')
  const values: Record<string, string | undefined> = Object.fromEntries(
    [...head.matchAll(fields)].map(([, name, value]) => [name, value]),
  )
  const { name, aliases = '', short, medium, long } = values
  const instructions = rest.join('\n---\n').trim()
  if (!name || !short || !medium || !long || !instructions)
    throw new Error(
      `templates/${slug}.md needs name, short, medium, long, and instructions below a line of ---`,
    )
  return {
    slug,
    name,
    aliases: aliases.split(',').map((alias: string) => alias.trim()),
    lengths: { short, medium, long },
    instructions: instructions.replaceAll(/(\S)\n(\S)/g, '$1 $2'),
  }
}

/** The type that a client means by a name or a slug, in whatever case. Throws AppError invalid that lists them. */
export function templateOf(contentType: string): Template {
  const slug = contentType
    .trim()
    .toLowerCase()
    .replaceAll('&', ' and ')
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-|-$/g, '')
  const found = bySlug.get(slug)
  if (found) return found
  throw invalidField('contentType', `must be one of ${templates.map(each => each.name).join(', ')}`)
}

/** What the model is told before the prompt. */
export function instructionsOf(template: Template, wishes: Wishes): string {
  const { tone, length = 'medium', language } = wishes
  return [
    `Content type: ${template.name}`,
    template.instructions,
    `Length: ${template.lengths[length]}.`,
    tone ? `Tone: ${tone}.` : 'Tone: fitting for the audience.',
    language ? `Language: ${language}.` : 'Language: the language of the request.',
    'Answer with the content only: no greeting to the person who asks, no remarks before or after it.',
  ].join('\n\n')
}
