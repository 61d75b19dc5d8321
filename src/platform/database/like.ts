/** A text as a LIKE pattern for what contains it: nothing in it is a wildcard. */
export function containing(text: string): string {
  return `%${text.replaceAll(/[\\%_]/g, '\\$&')}%`
}
