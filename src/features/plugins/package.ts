import { promisify } from 'node:util'
import { type AsyncZipOptions, type AsyncZippable, zip } from 'fflate'

const compress = promisify<AsyncZippable, AsyncZipOptions, Uint8Array>(zip)
const longestSlug = 60

/** A name as a folder and file name: small letters, digits and single hyphens, never empty, no device name of Windows. */
export function slugOf(name: string): string {
  const slug = name
    .normalize('NFKD')
    .replace(/[\u0300-\u036f]/g, '')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .slice(0, longestSlug)
    .replace(/^-+|-+$/g, '')
  const isDevice = /^(?:con|prn|aux|nul|com\d|lpt\d)$/.test(slug)
  return slug === '' || isDevice ? `plugin${slug && `-${slug}`}` : slug
}

/** The fields of a plugin's header comment by their names in small letters, as WordPress reads them: from its first 8 KB. */
export function readHeader(code: string): Map<string, { value: string; line: number }> {
  const fields = new Map<string, { value: string; line: number }>()
  for (const [index, line] of code
    .slice(0, 8192)
    .split(/\r\n|\r|\n/)
    .entries()) {
    const match = /^(?:[ \t]*<\?php)?[ \t/*#@]*([A-Za-z][A-Za-z ]{2,40}?)\s*:(.*)$/.exec(line)
    if (!match?.[1]) continue
    const value = (match[2] ?? '').replace(/\s*(?:\*\/|\?>).*/, '').trim()
    const key = match[1].toLowerCase()
    if (knownFields.has(key) && !fields.has(key)) fields.set(key, { value, line: index + 1 })
  }
  return fields
}

const knownFields = new Set([
  'plugin name',
  'plugin uri',
  'description',
  'version',
  'requires at least',
  'requires php',
  'requires plugins',
  'wc requires at least',
  'wc tested up to',
  'author',
  'author uri',
  'license',
  'license uri',
  'text domain',
  'domain path',
])

export interface Packed {
  bytes: Uint8Array
  fileName: string
  slug: string
}

/** The zip for "Upload plugin": a folder named by the slug with the main file and readme.txt in it. */
export async function packPlugin({ name, code }: { name: string; code: string }): Promise<Packed> {
  const header = readHeader(code)
  const slug = slugOf(header.get('text domain')?.value || header.get('plugin name')?.value || name)
  const files = {
    [`${slug}/${slug}.php`]: Buffer.from(code, 'utf8'),
    [`${slug}/readme.txt`]: Buffer.from(readmeOf(name, header), 'utf8'),
  }
  return { bytes: await compress(files, { level: 9, consume: true }), fileName: `${slug}.zip`, slug }
}

function readmeOf(name: string, header: ReturnType<typeof readHeader>): string {
  const field = (key: string, otherwise: string) => plain(header.get(key)?.value || otherwise)
  const title = field('plugin name', name)
  const description = field('description', `${title}.`)
  const version = field('version', '1.0.0')
  return `=== ${title} ===
Contributors: ${slugOf(field('author', 'shop')).replaceAll('-', '')}
Tags: woocommerce
Requires at least: ${field('requires at least', '6.4')}
Tested up to: 6.8
Requires PHP: ${field('requires php', '7.4')}
Stable tag: ${version}
License: ${field('license', 'GPL-2.0-or-later')}
License URI: https://www.gnu.org/licenses/gpl-2.0.html

${description.slice(0, 150)}

== Description ==

${description}

== Installation ==

1. In WordPress, open Plugins > Add New > Upload Plugin and choose the zip file.
2. Activate the plugin. WooCommerce must be active.

== Changelog ==

= ${version} =
* First release.
`
}

/** Text on one line, with nothing that a readme would take for a heading. */
function plain(text: string): string {
  return text
    .replace(/[\p{Cc}\p{Cf}]+/gu, ' ')
    .replace(/={2,}/g, '=')
    .replace(/\s+/g, ' ')
    .trim()
    .slice(0, 500)
}
