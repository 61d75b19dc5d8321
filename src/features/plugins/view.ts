import { slugOf } from './package.ts'
import type { Plugin } from './store.ts'
import type { Turn } from './store-turns.ts'

/** A row with its time as text. */
export function dated<Row extends { createdAt: Date }>(
  row: Row,
): Omit<Row, 'createdAt'> & { createdAt: string } {
  return { ...row, createdAt: row.createdAt.toISOString() }
}

/** A turn as our API shows it. */
export function presentTurn(turn: Turn) {
  const { id, purpose, outcome, version, generationIds } = turn
  const repairs = Math.max(0, generationIds.length - 1)
  return { id, purpose, outcome, version, generationIds, repairs, createdAt: turn.createdAt.toISOString() }
}

/** A plugin as our API shows it. */
export function presentPlugin(plugin: Plugin) {
  const { id, name, conversationId, latest, finalVersion, savedVersion, openTurn } = plugin
  const isFinal = latest !== null && latest.version === finalVersion
  return {
    id,
    name,
    slug: slugOf(name),
    conversationId,
    status: latest === null ? 'empty' : isFinal ? 'final' : 'draft',
    latestVersion: latest && dated(latest),
    finalVersion,
    savedVersion,
    openTurn: openTurn && presentTurn(openTurn),
    createdAt: plugin.createdAt.toISOString(),
    updatedAt: plugin.updatedAt.toISOString(),
  }
}
