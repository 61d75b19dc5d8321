/**
 * The value of a Content-Disposition header that saves under `name` (RFC 6266): an ASCII form for old clients and the
 * exact name in UTF-8. Any text is safe: path parts, quotes, line breaks and control characters do not survive.
 */
export function attachment(name: string): string {
  const base = name.toWellFormed().replaceAll('\\', '/').split('/').at(-1) ?? ''
  const clean = Array.from(base.replaceAll(/[\p{C}\p{Zl}\p{Zp}"]/gu, ' ').trim())
    .slice(0, 150)
    .join('')
    .replace(/^\.+/, '')
  const safe = clean || 'download'
  const ascii = safe.replaceAll(/[^\x20-\x7e]|[%;]/g, '_')
  const encoded = encodeURIComponent(safe).replaceAll(
    /['()*]/g,
    char => `%${char.charCodeAt(0).toString(16).toUpperCase()}`,
  )
  return `attachment; filename="${ascii}"; filename*=UTF-8''${encoded}`
}
