import { type Artifacts, type ArtifactWithFiles, examineCode } from '../../features/artifacts/index.ts'
import { toAppError } from '../../lib/errors.ts'
import type { BuildMessage, BuildOutput } from '../../platform/bundler/index.ts'
import { standing } from './present.ts'
import type { Wish } from './schema.ts'

/** A build as it is published. */
export type BuildResult = ReturnType<typeof presentBuild>

/** What came of building one artifact; without a result our own limits stood in the way. */
export type Build =
  | { artifactId: string; result: BuildResult; error: null }
  | { artifactId: string; result: null; error: string }

export interface Security {
  isSecure: boolean
  riskLevel: string
  score: number
  /** How many. */
  issues: number
}

/** What was made by an answer, and what a look at it found. */
export interface Inspection {
  artifacts: ArtifactWithFiles[]
  builds: Build[]
  /** Null when it was not wished for. */
  security: Security | null
}

const builtByThemselves: ReadonlySet<string> = new Set(['REACT', 'HTML'])
const mostBuilds = 5

/** Builds and examines what an answer made, as far as it is wished for. */
export async function inspect(
  artifacts: Artifacts,
  accountId: string,
  { replyId, wish }: { replyId: string; wish: Wish },
): Promise<Inspection> {
  const made = standing(await artifacts.listWhole(accountId, [replyId]))
  const built = wish.enableBuilding === false ? [] : made.filter(each => builtByThemselves.has(each.type))
  const builds = await Promise.all(
    built.slice(0, mostBuilds).map(({ id }) => buildOne(artifacts, accountId, id)),
  )
  const security = wish.enableSecurity === false ? null : await examine(artifacts, accountId, made)
  return { artifacts: made, builds, security }
}

async function buildOne(artifacts: Artifacts, accountId: string, artifactId: string): Promise<Build> {
  try {
    const result = presentBuild(await artifacts.build(accountId, artifactId))
    return { artifactId, result, error: null }
  } catch (thrown) {
    return { artifactId, result: null, error: toAppError(thrown).message }
  }
}

async function examine(
  artifacts: Artifacts,
  accountId: string,
  made: readonly ArtifactWithFiles[],
): Promise<Security> {
  const files = await Promise.all(
    // One that is deleted meanwhile has nothing to examine.
    made.map(({ id }) => artifacts.readFiles(accountId, id).catch(() => [])),
  )
  const { isSecure, riskLevel, score, findings } = examineCode(files.flat())
  return { isSecure, riskLevel, score, issues: findings.length }
}

/** A build's report in the published words: messages are texts that begin with their place. */
export function presentBuild(output: BuildOutput) {
  const dependencies = output.ok ? output.dependencies : []
  return {
    success: output.ok,
    bundleSize: output.ok ? output.bundleBytes : 0,
    buildTime: output.durationMs,
    dependencies,
    installedPackages: dependencies,
    errors: output.ok ? [] : output.errors.map(say),
    warnings: output.warnings.map(say),
  }
}

function say({ file, line, column, text }: BuildMessage): string {
  if (file === null) return text
  return line === null ? `${file}: ${text}` : `${file}:${line}:${(column ?? 0) + 1}: ${text}`
}
