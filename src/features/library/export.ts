import { Worker } from 'node:worker_threads'
import { AppError } from '../../lib/errors.ts'
import type { Entry } from './store.ts'

export interface Exported {
  name: string
  contentType: string
  content: string
}

const longestRenderMs = 3000
const longestLoadMs = 20_000

/** An entry as a file: its body as it is, or as a page in HTML in which nothing of the body is markup or script. */
export async function exportEntry(entry: Entry, format: 'markdown' | 'html'): Promise<Exported> {
  const name = entry.title.replaceAll(/[/\\:]/g, '-').slice(0, 120)
  if (format === 'markdown')
    return { name: `${name}.md`, contentType: 'text/markdown; charset=utf-8', content: entry.body }
  const content = pageOf(entry.title, await render(entry.body))
  return { name: `${name}.html`, contentType: 'text/html; charset=utf-8', content }
}

/** Off the event loop and with limits: there are texts that take a parser of Markdown very long. */
function render(markdown: string): Promise<string> {
  const worker = new Worker(new URL('./export-worker.ts', import.meta.url), {
    workerData: markdown,
    resourceLimits: { maxOldGenerationSizeMb: 256 },
  })
  let timer: NodeJS.Timeout
  const html = new Promise<string>((resolve, reject) => {
    const refuse = (cause: unknown) => {
      const text = 'This text is too complex to be made into HTML'
      reject(new AppError('unprocessable', 'TOO_COMPLEX', text, { cause }))
    }
    const within = (ms: number) => setTimeout(refuse, ms, new Error('it took too long'))
    timer = within(longestLoadMs)
    // It says first that it is there: what a busy machine takes until then is not the text's.
    worker.once('message', () => {
      clearTimeout(timer)
      timer = within(longestRenderMs)
      worker.once('message', resolve)
    })
    worker.once('error', refuse)
    worker.once('exit', () => refuse(new Error('the renderer ended')))
  })
  return html.finally(() => {
    clearTimeout(timer)
    void worker.terminate()
  })
}

function pageOf(title: string, body: string): string {
  return `<!doctype html>
<html>
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src https: data:; style-src 'unsafe-inline'">
<title>${escapeHtml(title)}</title>
<style>body{max-width:42rem;margin:2rem auto;padding:0 1rem;font:1.05rem/1.6 system-ui,sans-serif}</style>
</head>
<body>
${body}
</body>
</html>
`
}

function escapeHtml(text: string): string {
  return text.replaceAll(/[&<>"']/g, char => `&#${char.charCodeAt(0)};`)
}
