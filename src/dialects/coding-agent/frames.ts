import type { ArtifactWithFiles } from '../../features/artifacts/index.ts'
import type { Build, Security } from './inspection.ts'
import type { Links } from './links.ts'
import { presentArtifact, sizeOf } from './present.ts'

/** What a frame says. */
export interface FrameContent {
  type: 'metadata' | 'chunk' | 'error' | 'complete'
  data: Readonly<Record<string, unknown>>
}

const mostDependencies = 12

/** The ids, which only this frame tells before the end. */
export function metadataFrame(ids: { conversationId: string; messageId: string }): FrameContent {
  return { type: 'metadata', data: ids }
}

export function connectionFrame(sessionId: string): FrameContent {
  const capabilities = ['text', 'build', 'security', 'artifact']
  return { type: 'chunk', data: { type: 'connection', message: 'Connected', sessionId, capabilities } }
}

export function textFrame(text: string): FrameContent {
  return { type: 'chunk', data: { text, isComplete: false } }
}

/** How a build went, without its report: that is at POST /artifacts/:id/build. */
export function buildFrame(build: Build): FrameContent {
  if (build.result === null) return { type: 'chunk', data: { type: 'build-error', error: build.error } }
  const { success, bundleSize, buildTime, dependencies, errors, warnings } = build.result
  const named = dependencies.slice(0, mostDependencies)
  return {
    type: 'chunk',
    data: {
      type: 'build',
      buildResult: {
        ...{ success, artifactId: build.artifactId, bundleSize, buildTime },
        ...{ dependencies: named, installedPackages: named },
        errors: errors.slice(0, 2).map(text => text.slice(0, 200)),
        warnings: warnings.slice(0, 1).map(text => text.slice(0, 200)),
      },
    },
  }
}

export function securityFrame({ isSecure, riskLevel, score, issues }: Security): FrameContent {
  return { type: 'chunk', data: { type: 'security', isSecure, riskLevel, issues, score } }
}

/** An artifact that is stored; its code is at GET /artifacts/:id/code. Here the size is called `size`. */
export function artifactFrame(artifact: ArtifactWithFiles, links: Links): FrameContent {
  const { id, language, type, s3Url, s3Key } = presentArtifact(artifact, links)
  const title = artifact.title.slice(0, 100).toWellFormed()
  const shown = { id, title, language, type, s3Key: s3Key.slice(0, 200), s3Url, size: sizeOf(artifact) }
  return { type: 'chunk', data: { type: 'artifact', artifact: shown } }
}

/** A failure as clients show it: they look for the words "Stream error". */
export function errorFrame(message: string): FrameContent {
  return { type: 'error', data: { error: `Stream error: ${message}`, message } }
}

export interface Completion {
  reason: string
  sessionId: string
  conversationId: string
  messageId: string
  artifacts: number
  credits: number
}

export function completeFrame(completion: Completion): FrameContent {
  return { type: 'complete', data: { ...completion, isComplete: true } }
}

/** The bytes of a frame: one `id:` line and one `data:` line. */
export function writeFrame(number: number, { type, data }: FrameContent): string {
  const frame = { id: String(number), type, data, timestamp: new Date().toISOString(), retryCount: 0 }
  return `id: ${number}\ndata: ${JSON.stringify(frame)}\n\n`
}

/** What says that nothing more comes. */
export const lastFrame = 'data: [DONE]\n\n'
