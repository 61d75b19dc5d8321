import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { brotliCompress, constants } from 'node:zlib'
import { missing } from '../../lib/errors.ts'

const compress = promisify(brotliCompress)

/** A vendor module as it goes over the wire. */
export interface VendorFile {
  bytes: Buffer
  encoding: 'br' | null
}

/** The modules of one folder, read and compressed on first use and kept; only names that are in the folder exist. */
export async function openVendorFiles(directory: string) {
  const names = new Set((await readdir(directory)).filter(name => name.endsWith('.js')))
  const plain = new Map<string, Promise<Buffer>>()
  const compressed = new Map<string, Promise<Buffer>>()

  function readPlain(name: string): Promise<Buffer> {
    return remember(plain, name, () =>
      // A newer server may have replaced the folder.
      readFile(join(directory, name)).catch(error => {
        throw error.code === 'ENOENT' ? missing('File') : error
      }),
    )
  }

  return {
    /** Throws AppError missing. */
    async read(name: string, acceptEncoding: string): Promise<VendorFile> {
      if (!names.has(name)) throw missing('File')
      if (!/\bbr\b(?!\s*;\s*q=0(?:\.0*)?(?:,|$))/.test(acceptEncoding))
        return { bytes: await readPlain(name), encoding: null }
      const bytes = await remember(compressed, name, async () =>
        compress(await readPlain(name), { params: { [constants.BROTLI_PARAM_QUALITY]: 6 } }),
      )
      return { bytes, encoding: 'br' }
    },
  }
}

function remember<T>(known: Map<string, Promise<T>>, name: string, make: () => Promise<T>): Promise<T> {
  const existing = known.get(name)
  if (existing) return existing
  const made = make()
  known.set(name, made)
  made.catch(() => known.delete(name))
  return made
}
