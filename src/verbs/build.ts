import { ensureConsole } from '../../web/build.ts'
import { ensureVendor } from '../platform/bundler/vendor.ts'

/** Builds what is served but not written by hand, when it is missing or old: the console, and the libraries of previews. */
export async function build(): Promise<void> {
  await Promise.all([ensureConsole(), ensureVendor()])
}
