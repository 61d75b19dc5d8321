import { AppError } from '../../lib/errors.ts'

const pattern = /^[A-Za-z0-9._-]+(?:\/[A-Za-z0-9._-]+)*$/

/** The key itself when it follows the rule of the port; throws AppError invalid FILE_KEY when not. Every adapter asks here. */
export function checkKey(key: string): string {
  const isPlain = key.length <= 512 && pattern.test(key)
  if (!isPlain || key.split('/').some(segment => segment.startsWith('.') || segment.length > 200)) {
    throw new AppError('invalid', 'FILE_KEY', 'This is not a key of a stored file')
  }
  return key
}
