import type { ArtifactSummary, ListedArtifact } from '../../api/types.ts'

/** One thing that a conversation made, with all its versions. */
export interface Lineage {
  id: string
  /** Oldest first; there is at least one. */
  versions: readonly ListedArtifact[]
  newest: ListedArtifact
}

/** Puts the versions of each thing together; the thing that was changed last comes first. */
export function lineagesOf(artifacts: readonly ListedArtifact[]): Lineage[] {
  const found = new Map<string, ListedArtifact[]>()
  for (const artifact of artifacts) {
    const versions = found.get(artifact.lineageId)
    if (versions) versions.push(artifact)
    else found.set(artifact.lineageId, [artifact])
  }
  return [...found]
    .flatMap(([id, unordered]) => {
      const versions = unordered.toSorted((a, b) => a.version - b.version)
      const newest = versions.at(-1)
      return newest ? [{ id, versions, newest }] : []
    })
    .toSorted((a, b) => b.newest.createdAt.localeCompare(a.newest.createdAt))
}

/** Those that are shown as things of their own: not the blocks that were merged into one of them. */
export function thingsOf(lineages: readonly Lineage[]): Lineage[] {
  return lineages.filter(({ newest }) => newest.consolidatedInto === null)
}

/** Leaves out the blocks that were merged into another one of them; while an answer is written only that one tells. */
export function withoutMerged(artifacts: readonly ArtifactSummary[]): ArtifactSummary[] {
  const merged = new Set(artifacts.flatMap(artifact => artifact.consolidatedFrom))
  return artifacts.filter(({ id, consolidatedInto }) => consolidatedInto === null && !merged.has(id))
}

/** The thing that an artifact is a version of; null when it is in none of them. */
export function lineageWith(lineages: readonly Lineage[], artifactId: string): Lineage | null {
  return lineages.find(lineage => lineage.versions.some(version => version.id === artifactId)) ?? null
}
