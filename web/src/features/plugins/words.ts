/** "no errors", "1 error, 2 warnings": what the checks counted. */
export function countsOf({ errors, warnings }: { errors: number; warnings: number }): string {
  const parts = [
    errors === 0 ? 'no errors' : count(errors, 'error'),
    ...(warnings === 0 ? [] : [count(warnings, 'warning')]),
  ]
  return parts.join(', ')
}

function count(many: number, what: string): string {
  return `${many} ${what}${many === 1 ? '' : 's'}`
}
