import type { ArtifactWithFiles } from '../../features/artifacts/index.ts'
import type { Links } from './links.ts'

/** Types that make a page to look at; links to previews are given for these alone. */
const shown: ReadonlySet<string> = new Set(['REACT', 'HTML', 'CSS', 'JAVASCRIPT', 'TYPESCRIPT'])

/** Bytes of all files. */
export function sizeOf({ files }: ArtifactWithFiles): number {
  return files.reduce((sum, file) => sum + file.size, 0)
}

/** An artifact as the published rows have it. The keys are names for people, not where anything is stored. */
export function presentArtifact(artifact: ArtifactWithFiles, links: Links, hasPreview = true) {
  const { id, messageId, title, type, language, files } = artifact
  const isShown = hasPreview && shown.has(type)
  const createdAt = artifact.createdAt.toISOString()
  const only = files.length === 1 ? files[0]?.path : undefined
  return {
    id,
    messageId,
    title,
    language: language || 'text',
    s3Key: `artifacts/${id}/${only ?? 'project.zip'}`,
    s3Url: links.file(artifact),
    bundledHtmlKey: isShown ? `artifacts/${id}/preview.html` : null,
    bundledHtmlUrl: isShown ? links.page(artifact) : null,
    fileSize: sizeOf(artifact),
    type,
    createdAt,
    updatedAt: createdAt,
  }
}

/** Of a reply's artifacts those that stand: the published product tells of merged blocks by their result alone. */
export function standing(artifacts: readonly ArtifactWithFiles[]): ArtifactWithFiles[] {
  return artifacts.filter(artifact => artifact.consolidatedInto === null)
}

/** An artifact beside its code. */
export function presentAbout(artifact: ArtifactWithFiles) {
  const { id, title, language, type } = artifact
  const createdAt = artifact.createdAt.toISOString()
  return { id, title, language: language || 'text', type, fileSize: sizeOf(artifact), createdAt }
}

/** USER or ASSISTANT. */
export function presentRole(role: string): string {
  return role.toUpperCase()
}
