import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createHmac,
  hkdfSync,
  randomBytes,
  timingSafeEqual,
} from 'node:crypto'

/** A 256-bit key for one purpose from the operator's secret; keys of different purposes tell nothing about each other. */
export function deriveKey(secret: string, purpose: string): Buffer {
  return Buffer.from(hkdfSync('sha256', secret, 'atelier', purpose, 32))
}

/** HMAC-SHA-256 over the parts; the parts cannot run into each other. */
export function keyedHash(key: Buffer, ...parts: readonly string[]): Buffer {
  const hash = createHmac('sha256', key)
  for (const part of parts) hash.update(`${Buffer.byteLength(part)}:`).update(part)
  return hash.digest()
}

/** How a token of full entropy is kept: its SHA-256. Never for anything a person chose. */
export function hashToken(token: string): Buffer {
  return createHash('sha256').update(token).digest()
}

/** A new secret of 256 random bits, in base64url behind a prefix that says what it is. */
export function randomToken(prefix: string): string {
  return prefix + randomBytes(32).toString('base64url')
}

/** Whether two texts are equal, in a time that does not tell where they differ. */
export function isEqualSecret(left: string, right: string): boolean {
  return timingSafeEqual(hashToken(left), hashToken(right))
}

const nonceBytes = 12
const tagBytes = 16

/** Encrypts with AES-256-GCM, bound to `context` (such as table, row and owner): opened with another one it fails. */
export function seal(key: Buffer, text: string, context: string): Buffer {
  const nonce = randomBytes(nonceBytes)
  const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.from(context))
  return Buffer.concat([nonce, cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()])
}

/** The text that was sealed with the same key and context; throws for anything else. */
export function unseal(key: Buffer, sealed: Uint8Array, context: string): string {
  const bytes = Buffer.from(sealed)
  if (bytes.length < nonceBytes + tagBytes) throw new Error('sealed text is too short')
  const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, nonceBytes))
    .setAAD(Buffer.from(context))
    .setAuthTag(bytes.subarray(bytes.length - tagBytes))
  return Buffer.concat([
    decipher.update(bytes.subarray(nonceBytes, bytes.length - tagBytes)),
    decipher.final(),
  ]).toString('utf8')
}
