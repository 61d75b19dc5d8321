export { attachment } from './disposition.ts'

/** How a stored object is offered to a browser. */
export interface FileLink {
  expiresInSeconds: number
  contentType: string
  /** When given, the browser saves the object under this name; it is encoded by the adapter, any text is safe. */
  downloadName?: string
}

/**
 * Objects by key. Keys are made by the server: segments of [A-Za-z0-9._-], joined by `/`, at most 512 bytes; any other
 * key is refused (AppError invalid FILE_KEY). Reads of an absent key give null; deletes of one succeed.
 */
export interface Files {
  put(key: string, bytes: Uint8Array, options: { contentType: string }): Promise<void>
  get(key: string): Promise<Uint8Array | null>
  delete(key: string): Promise<void>
  /** Keys under a prefix, in order, a page at a time. */
  list(prefix: string): AsyncIterable<string>
  /** An absolute URL that needs no sign-in and stops working after `expiresInSeconds`. */
  link(key: string, link: FileLink): Promise<string>
  close(): Promise<void>
}
