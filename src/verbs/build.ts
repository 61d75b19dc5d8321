import { ensureConsole } from '../../web/build.ts'
import { ensureVendor } from '../platform/bundler/vendor.ts'

/**
 * Builds what is served but not written by hand, when it is missing or old: the console, whose folder is given, and the
 * libraries of previews. Says so, because it takes a while.
 */
export async function build(): Promise<string> {
  const [consoleDirectory] = await Promise.all([ensureConsole(tell), ensureVendor()])
  return consoleDirectory
}

function tell(line: string): void {
  process.stdout.write(`${line}\n`)
}
