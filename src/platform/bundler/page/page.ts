import { readFileSync } from 'node:fs'

/** Where the browser finds vendor modules, on whatever host serves the page. */
export const vendorPath = '/vendor/'

const bridge = readFileSync(new URL('./bridge.js', import.meta.url), 'utf8')

/** The parts of a page that we write ourselves. */
export interface PageParts {
  title: string
  style?: string
  body: string
  script?: string
  /** Specifier → file name of the vendor modules that the script imports. */
  imports?: Readonly<Record<string, string>>
}

/** A whole page around a bundle. */
export function page(parts: PageParts): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(parts.title)}</title>
${headOf(parts.imports ?? {})}
<style>html{font-family:system-ui,sans-serif}</style>
${parts.style ? styleElement(parts.style) : ''}
</head>
<body>
${parts.body}
${parts.script ? moduleElement(parts.script) : ''}
</body>
</html>
`
}

/** What must come before any script of a preview: the bridge and the import map. */
export function headOf(imports: Readonly<Record<string, string>>): string {
  const addresses = Object.fromEntries(
    Object.entries(imports).map(([name, file]) => [name, vendorPath + file]),
  )
  const map =
    Object.keys(addresses).length === 0
      ? ''
      : `<script type="importmap">${JSON.stringify({ imports: addresses })}</script>`
  return `<script>${bridge}</script>${map}`
}

/** A bundle as an inline module that reports when a library cannot be loaded. */
export function moduleElement(code: string): string {
  return `<script type="module" onerror="__atelierFailed('A library of this preview could not be loaded')">${escapeScript(code)}</script>`
}

/** A style sheet inside the page. */
export function styleElement(css: string): string {
  return `<style>${css.replaceAll(/<\/(?=style)/gi, '<\\/')}</style>`
}

/** Code that cannot end the script element it stands in; the same code to JavaScript. */
export function escapeScript(code: string): string {
  return code.replaceAll(/<(?=\/script|!--)/gi, '\\x3c')
}

/** Text as text. */
export function escapeHtml(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
}
