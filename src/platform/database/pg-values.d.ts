declare module 'pg/lib/utils.js' {
  /** A value as it goes to the server in text form: arrays as Postgres writes them, objects as JSON. */
  export function prepareValue(value: unknown): string | Buffer | null
}
