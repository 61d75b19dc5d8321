import type { ListedArtifact } from '../../api/types.ts'

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

/** The thing that an artifact is a version of; null when it is in none of them. */
export function lineageWith(lineages: readonly Lineage[], artifactId: string): Lineage | null {
  return lineages.find(lineage => lineage.versions.some(version => version.id === artifactId)) ?? null
}
