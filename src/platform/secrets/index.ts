import { randomBytes } from 'node:crypto'
import { mkdir, open, readFile } from 'node:fs/promises'
import { join } from 'node:path'

/** Secrets of this installation. Each is at least 32 random characters. */
export interface Secrets {
  jwt: string
  /** Signs links that carry their own permission: files, previews. */
  links: string
  /** Signs what the sandbox of payments tells us. */
  sandboxWebhooks: string
  /** Seals what must be read again, such as people's provider keys: the current one, then retired ones. */
  encryption: readonly [string, ...string[]]
}

/** Secrets that the operator gives. */
export interface GivenSecrets {
  jwt?: string | undefined
  encryption?: string | undefined
  retiredEncryption?: readonly string[]
}

/**
 * The given secrets, and for those not given ones that are made once and kept under `directory` (files of mode 0600).
 * Two processes that start at once get the same.
 */
export async function loadSecrets(directory: string, given: GivenSecrets): Promise<Secrets> {
  const folder = join(directory, 'secrets')
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const [jwt, links, sandboxWebhooks, encryption] = await Promise.all([
    given.jwt ?? kept(join(folder, 'jwt')),
    kept(join(folder, 'links')),
    kept(join(folder, 'sandbox-webhooks')),
    encryptionSecrets(join(folder, 'encryption'), given),
  ])
  return { jwt, links, sandboxWebhooks, encryption }
}

/** One that was made here before the operator gave one is retired by that, not lost. */
async function encryptionSecrets(path: string, given: GivenSecrets): Promise<Secrets['encryption']> {
  const { encryption, retiredEncryption = [] } = given
  if (encryption === undefined) return [await kept(path), ...retiredEncryption]
  const made = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null
    throw error
  })
  return [encryption, ...retiredEncryption, ...(made === null ? [] : [made.trim()])]
}

async function kept(path: string): Promise<string> {
  try {
    await using file = await open(path, 'wx', 0o600)
    const secret = randomBytes(32).toString('base64url')
    await file.writeFile(secret)
    await file.sync()
    return secret
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    return readWhole(path)
  }
}

/** Another process may have created the file a moment ago and not yet written it. */
async function readWhole(path: string): Promise<string> {
  for (let attempt = 0; attempt < 50; attempt++) {
    const secret = (await readFile(path, 'utf8')).trim()
    if (secret.length >= 32) return secret
    await new Promise(resolve => setTimeout(resolve, 20))
  }
  throw new Error(
    `The secret in ${path} is damaged. Restore it from a backup, or remove it to make a new one.`,
  )
}
