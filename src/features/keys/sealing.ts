import { randomBytes } from 'node:crypto'
import { AppError } from '../../lib/errors.ts'
import { deriveKey, keyedHash, seal, unseal } from '../../lib/seal.ts'
import type { Database } from '../../platform/database/index.ts'
import type { Sealed } from './store.ts'
import { addMaster, findMasters, type Rewrapped, type SealedRow } from './store-masters.ts'

/** The row that a key is sealed into. */
export interface Place {
  id: string
  accountId: string
}

interface Master {
  fingerprint: Buffer
  wrapping: Buffer
  marking: Buffer
}

interface Numbered extends Master {
  number: number
}

export type Keyring = ReturnType<typeof createKeyring>

/**
 * Seals keys under the first secret and opens those of all. Each key has a data key of its own, which is sealed under a
 * master key derived from the secret; both carry the row and its owner, so that what is moved elsewhere cannot be opened.
 */
export function createKeyring(db: Database, secrets: readonly [string, ...string[]]) {
  const masters = secrets.map(masterOf)
  let numbering: Promise<readonly Numbered[]> | null = null

  /** The masters that have a number, the current one first. */
  function numbered(): Promise<readonly Numbered[]> {
    numbering ??= numberMasters(db, masters).catch(error => {
      numbering = null
      throw error
    })
    return numbering
  }

  async function current(): Promise<Numbered> {
    const [first] = await numbered()
    if (!first) throw new Error('the current master key has no number')
    return first
  }

  async function sealKey(apiKey: string, place: Place): Promise<Sealed & { fingerprint: string }> {
    const master = await current()
    const dataKey = randomBytes(32)
    return {
      sealedKey: seal(dataKey, apiKey, contextOf('key', place)),
      sealedDataKey: wrap(master, dataKey, place),
      masterKey: master.number,
      fingerprint: markOf(master, apiKey, place),
    }
  }

  async function masterOfRow(row: SealedRow): Promise<Numbered | undefined> {
    const isRows = ({ number }: Numbered) => number === row.masterKey
    const known = (await numbered()).find(isRows)
    if (known) return known
    // Another process may have begun to use one that this one was told of, but that had no number yet.
    numbering = null
    return (await numbered()).find(isRows)
  }

  /** Null when it is sealed under a master key that this process was not told. */
  async function open(row: SealedRow): Promise<string | null> {
    const master = await masterOfRow(row)
    return master ? unseal(unwrap(master, row), row.sealedKey, contextOf('key', row)) : null
  }

  /** The same key with its data key under the current master key; null when it cannot be opened here. */
  async function rewrap(row: SealedRow): Promise<Rewrapped | null> {
    const now = await current()
    const before = await masterOfRow(row)
    if (!before) return null
    const dataKey = unwrap(before, row)
    const apiKey = unseal(dataKey, row.sealedKey, contextOf('key', row))
    return { id: row.id, sealedDataKey: wrap(now, dataKey, row), fingerprint: markOf(now, apiKey, row) }
  }

  return { sealKey, open, rewrap, current: async () => (await current()).number }
}

function masterOf(secret: string): Master {
  return {
    fingerprint: deriveKey(secret, 'master-key-fingerprint'),
    wrapping: deriveKey(secret, 'provider-key-wrapping'),
    marking: deriveKey(secret, 'provider-key-marking'),
  }
}

async function numberMasters(db: Database, masters: readonly Master[]): Promise<readonly Numbered[]> {
  const [first] = masters
  const fingerprints = masters.map(({ fingerprint }) => fingerprint)
  let rows = await findMasters(db, fingerprints)
  if (first && !rows.some(row => row.fingerprint.equals(first.fingerprint))) {
    await addMaster(db, first.fingerprint)
    rows = await findMasters(db, fingerprints)
  }
  return masters.flatMap(master => {
    const row = rows.find(({ fingerprint }) => fingerprint.equals(master.fingerprint))
    return row ? [{ ...master, number: row.number }] : []
  })
}

function contextOf(what: 'key' | 'data-key', { id, accountId }: Place): string {
  return `provider_keys ${what} ${id} ${accountId}`
}

function wrap(master: Numbered, dataKey: Buffer, place: Place): Buffer {
  return seal(master.wrapping, dataKey.toString('base64'), `${contextOf('data-key', place)} ${master.number}`)
}

function unwrap(master: Numbered, row: SealedRow): Buffer {
  const text = unseal(master.wrapping, row.sealedDataKey, `${contextOf('data-key', row)} ${master.number}`)
  return Buffer.from(text, 'base64')
}

/** Equal for equal keys of one account; says nothing of the key, and nothing across accounts. */
function markOf(master: Master, apiKey: string, { accountId }: Place): string {
  return keyedHash(master.marking, accountId, apiKey).toString('hex').slice(0, 16)
}

/** A key that cannot be opened: another master key is needed, or its row was tampered with. */
export function unreadableKey(name: string, cause?: unknown): AppError {
  return new AppError(
    'conflict',
    'KEY_UNREADABLE',
    `Your key "${name}" cannot be read any more. Enter it again, or ask whoever runs this server.`,
    { cause },
  )
}

const shownCharacters = 4
const longEnough = 16

/** The end of a key, where that gives little of it away. */
export function lastFourOf(apiKey: string): string | null {
  return apiKey.length >= longEnough ? apiKey.slice(-shownCharacters) : null
}
