import { ensureVendor } from '../platform/bundler/vendor.ts'

/** Builds what is served but not written by hand, when it is missing or old: the console, and the libraries of previews. */
export async function build(): Promise<void> {
  const { ensureConsole } = await import('../../web/build.ts')
  await Promise.all([ensureConsole(), ensureVendor()])
}
