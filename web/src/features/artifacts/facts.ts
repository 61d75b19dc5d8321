import type { ListedArtifact } from '../../api/types.ts'
import { formatBytes } from '../../format.ts'
import { ago } from '../settings/times.ts'
import type { ChatSide } from './chat-side.ts'
import { kindOf } from './kinds.ts'

/** What an artifact is, in a few words: "React · 3 files · 2 KB". */
export function shapeOf(artifact: ListedArtifact): string {
  const { fileCount, size } = artifact
  const files = fileCount > 1 ? [`${fileCount} files`] : []
  return [kindOf(artifact).label, ...files, formatBytes(size)].join(' · ')
}

/** Where an artifact comes from: "Sandbox · 5 minutes ago". */
export function originOf({ model, createdAt }: ListedArtifact, chat: ChatSide): string {
  return [...(model ? [chat.labelOf(model)] : []), ago(createdAt)].join(' · ')
}
