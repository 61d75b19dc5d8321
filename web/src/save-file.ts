/** Lets the browser save what is behind an address that says itself that it is a file. */
export function saveLink(url: string, fileName: string): void {
  const link = document.createElement('a')
  link.href = url
  link.download = fileName
  link.click()
}

/** Lets the browser save bytes as a file; what file names must not hold becomes a dash. */
export function saveBlob(blob: Blob, fileName: string): void {
  const url = URL.createObjectURL(blob)
  saveLink(url, fileName.replaceAll(/[/\\:]/g, '-'))
  setTimeout(() => URL.revokeObjectURL(url), 10_000)
}
