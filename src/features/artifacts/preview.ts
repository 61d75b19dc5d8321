import { type Signer, sign, verify } from '../../lib/signed.ts'
import type { BuildMessage } from '../../platform/bundler/index.ts'

/** Which artifact a preview link shows, and to whom it was given. */
export interface PreviewTicket {
  accountId: string
  artifactId: string
}

export const previewSeconds = 600

/** Links to previews: they say what they show, hold ten minutes, and open nothing else. */
export function createPreviewLinks(key: string | Uint8Array, now: () => number = Date.now) {
  const signer: Signer = { key, purpose: 'preview', now }
  return {
    make(ticket: PreviewTicket): { token: string; expiresAt: Date } {
      const expiresAt = now() + previewSeconds * 1000
      return {
        token: sign(signer, [ticket.accountId, ticket.artifactId], expiresAt),
        expiresAt: new Date(expiresAt),
      }
    },
    /** Throws AppError `missing` or `gone`. */
    open(token: string): PreviewTicket {
      const [accountId = '', artifactId = ''] = verify(signer, token) as string[]
      return { accountId, artifactId }
    },
  }
}

/** The page that stands in for a preview whose sources do not build. */
export function problemPage(errors: readonly BuildMessage[]): string {
  const items = errors.map(error => {
    const place =
      error.file === null
        ? ''
        : `${error.file}${error.line === null ? '' : `:${error.line}:${(error.column ?? 0) + 1}`}`
    return `<li><strong>${escapeHtml(error.text)}</strong><br><code>${escapeHtml(place)}</code>${error.lineText ? `<pre>${escapeHtml(error.lineText)}</pre>` : ''}</li>`
  })
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>This does not build</title>
<style>body{font:14px/1.5 system-ui,sans-serif;margin:2rem;color:#222}pre{background:#f4f4f5;padding:.5rem;overflow:auto}li{margin-bottom:1rem}</style>
</head><body><h1>This does not build</h1><ul>${items.join('')}</ul></body></html>`
}

function escapeHtml(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
}

/**
 * The policy of a preview page served under these hosts: scripts run, on an origin of their own that owns nothing; they
 * load our vendor modules and those of the CDN if there is one, and no other address in any network can be reached.
 */
function previewPolicy(hosts: readonly string[], cdn: string | undefined): string {
  const plain = new Set(hosts.filter(host => /^(?:[a-z0-9.-]+|\[[0-9a-f:.]+\])(?::\d{1,5})?$/i.test(host)))
  const vendor = [...plain].map(host => ` ${host}/vendor/`).join('')
  return [
    'sandbox allow-scripts',
    "default-src 'none'",
    `script-src 'unsafe-inline'${vendor}${cdn === undefined ? '' : ` ${cdn}`}`,
    "style-src 'unsafe-inline'",
    'img-src data: blob:',
    'media-src data: blob:',
    'font-src data:',
    "connect-src 'none'",
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ')
}

/** The headers of every page of a stranger's code that is served under these hosts. */
export function previewHeaders(hosts: readonly string[], cdn: string | undefined): Record<string, string> {
  return {
    'content-type': 'text/html; charset=utf-8',
    'content-security-policy': previewPolicy(hosts, cdn),
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'no-referrer',
    'cross-origin-resource-policy': 'cross-origin',
    'x-dns-prefetch-control': 'off',
    'permissions-policy': 'camera=(), microphone=(), geolocation=(), display-capture=()',
    'cache-control': 'no-store',
  }
}
