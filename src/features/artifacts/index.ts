import { promisify } from 'node:util'
import { type AsyncZipOptions, type AsyncZippable, zip } from 'fflate'
import { missing } from '../../lib/errors.ts'
import { isId } from '../../lib/ids.ts'
import type { Bundler } from '../../platform/bundler/index.ts'
import type { Database } from '../../platform/database/index.ts'
import type { Files } from '../../platform/files/index.ts'
import { type BuildOptions, createBuilds } from './builds.ts'
import { fixRequest, type RuntimeProblem } from './fix.ts'
import { slugOf } from './names.ts'
import { accountPrefix, archiveName, getContents, neededNames, prefixOf, removeAll } from './objects.ts'
import { observeRun, type WatchedRun } from './observe.ts'
import { createPreviewLinks, previewHeaders, problemPage } from './preview.ts'
import { runnableProject } from './scaffold.ts'
import type { ArtifactSummary } from './schema.ts'
import {
  type ArtifactWithFiles,
  countArtifacts,
  deleteArtifact,
  listContents,
  listOfMessages,
  listWholeOfMessages,
  lockConversation,
  readArtifact,
} from './store.ts'
import { listOfConversation, listOfLineage } from './store-listing.ts'
import { createSweep } from './sweep.ts'
import { createTurns } from './turns.ts'

export { examineCode, type SecurityFinding, type SecurityReport } from './security.ts'
export type { ArtifactWithFiles } from './store.ts'
export type { ListedArtifact } from './store-listing.ts'

export interface ArtifactsDeps {
  db: Database
  files: Files
  bundler: Bundler
  /** Signs preview links; at least 32 bytes, for nothing else. */
  previewKey: string | Uint8Array
  /** Where previews are served when not from our own origin, e.g. `https://preview.example`. */
  previewOrigin?: string | undefined
  /** An origin whose scripts previews may load, e.g. `https://esm.sh`; none without it. */
  cdn?: string | undefined
  now?: () => number
}

export type Artifacts = ReturnType<typeof createArtifacts>

const downloadSeconds = 3600
const compress = promisify<AsyncZippable, AsyncZipOptions, Uint8Array>(zip)

/** Code that generations produced: found in answers, kept, built, shown in previews, handed out. Foreign is absent. */
export function createArtifacts(deps: ArtifactsDeps) {
  const { db, files } = deps
  const builds = createBuilds({
    ...deps,
    inTurn: createTurns({ atOnce: 2, waiting: 30 }),
    sourcesOf: async artifact =>
      Object.fromEntries((await contentsOf(deps, artifact)).map(({ path, content }) => [path, content])),
  })
  const build = async (accountId: string, id: string, options: BuildOptions = {}) =>
    builds.build(await find(deps, accountId, id), options)
  const links = createPreviewLinks(deps.previewKey, deps.now)
  return {
    /** For `generations.observe`: finds and keeps the code of each run. */
    observer: (run: WatchedRun) => observeRun(deps, run),
    /** Keeps the code of an answer that nobody watched to its end, such as one that a crash interrupted. */
    async keep(run: Omit<WatchedRun, 'emit'>, text: string): Promise<void> {
      const observer = observeRun(deps, { ...run, emit() {} })
      observer?.text(text)
      await observer?.end()
    },
    read: (accountId: string, id: string) => find(deps, accountId, id),
    /** The files with their contents. */
    readFiles: async (accountId: string, id: string) => contentsOf(deps, await find(deps, accountId, id)),
    /** Artifacts by message, for messages that have any. */
    listByMessages: (accountId: string, messageIds: readonly string[]) =>
      listByMessages(db, accountId, messageIds),
    /** The same with their files, in the order of their making. */
    listWhole: (accountId: string, messageIds: readonly string[]): Promise<ArtifactWithFiles[]> =>
      messageIds.length === 0 ? Promise.resolve([]) : listWholeOfMessages(db, accountId, messageIds),
    /** How many a conversation has. */
    countIn: (accountId: string, conversationId: string) => countArtifacts(db, accountId, conversationId),
    /** The artifacts of a conversation of the account, in the order of their making; a foreign one has none. */
    listByConversation: (accountId: string, conversationId: string) =>
      listOfConversation(db, accountId, conversationId),
    /** Every version of the thing that an artifact is one of, oldest first. */
    async listVersions(accountId: string, id: string) {
      const { lineageId } = await find(deps, accountId, id)
      return listOfLineage(db, accountId, lineageId)
    },
    /** A link that holds for an hour: to the file when there is one, else (or by `asZip`) to a project that runs. */
    download: (accountId: string, id: string, options: { asZip?: boolean } = {}) =>
      download(deps, { accountId, id, ...options }),
    /** The next turn that asks the model to repair it: its conversation and the words. AppError conflict NOTHING_TO_FIX. */
    async fix(accountId: string, id: string, problems: readonly RuntimeProblem[] = []) {
      const artifact = await find(deps, accountId, id)
      const message = fixRequest(artifact.title, await builds.build(artifact), problems)
      return { conversationId: artifact.conversationId, message }
    },
    /** The bytes that `download` links to. */
    async bytes(accountId: string, id: string) {
      const artifact = await find(deps, accountId, id)
      const bytes = await files.get((await downloadOf(deps, artifact)).key)
      if (!bytes) throw missing('Artifact')
      return { artifact, bytes }
    },
    build,
    /** Builds and gives a link to look at the result. */
    async preview(accountId: string, id: string) {
      const output = await build(accountId, id)
      const { token, expiresAt } = links.make({ accountId, artifactId: id })
      return { url: `${deps.previewOrigin ?? ''}/preview/${token}`, expiresAt, build: output }
    },
    /** A link to look at it, which builds it when it is opened. */
    async previewLink(accountId: string, id: string) {
      await find(deps, accountId, id)
      const { token, expiresAt } = links.make({ accountId, artifactId: id })
      return { url: `${deps.previewOrigin ?? ''}/preview/${token}`, expiresAt }
    },
    /** What must be sent with every page of a stranger's code that is served under these hosts. */
    pageHeaders: (hosts: readonly string[]) => previewHeaders(hosts, deps.cdn),
    /** The page behind a preview link. Throws AppError missing or gone. */
    async openPreview(token: string): Promise<string> {
      const { accountId, artifactId } = links.open(token)
      const output = await build(accountId, artifactId)
      return output.ok ? output.html : problemPage(output.errors)
    },
    async remove(accountId: string, id: string): Promise<void> {
      await builds.remove(await remove(deps, accountId, id))
    },
    /** Removes the stored code of a conversation; its rows go with the conversation itself. */
    async removeConversation(accountId: string, conversationId: string): Promise<number> {
      await builds.settled()
      return removeAll(files, prefixOf({ accountId, conversationId }))
    },
    /** Removes the stored code of an account that is being erased. */
    async removeAccount(accountId: string): Promise<number> {
      await builds.settled()
      return removeAll(files, accountPrefix(accountId))
    },
    /** Removes objects that no row needs and that were already of no use at the sweep before; gives their number. */
    sweep: createSweep(deps),
  }
}

async function find({ db }: ArtifactsDeps, accountId: string, id: string): Promise<ArtifactWithFiles> {
  const artifact = isId(id) ? await readArtifact(db, accountId, id) : null
  if (!artifact) throw missing('Artifact')
  return artifact
}

async function contentsOf({ files }: ArtifactsDeps, artifact: ArtifactWithFiles) {
  const contents = await getContents(files, artifact)
  if (!contents) throw missing('Artifact')
  return contents
}

async function listByMessages(
  db: Database,
  accountId: string,
  messageIds: readonly string[],
): Promise<Map<string, ArtifactSummary[]>> {
  const found = new Map<string, ArtifactSummary[]>()
  if (messageIds.length === 0) return found
  for (const { messageId, ...summary } of await listOfMessages(db, accountId, messageIds)) {
    const list = found.get(messageId)
    if (list) list.push(summary)
    else found.set(messageId, [summary])
  }
  return found
}

interface DownloadRequest {
  accountId: string
  id: string
  asZip?: boolean
}

/** A signed link: to the file itself when there is one, else to a zip that is made on the first call. */
async function download(deps: ArtifactsDeps, { accountId, id, asZip = false }: DownloadRequest) {
  const { key, contentType, fileName } = await downloadOf(deps, await find(deps, accountId, id), asZip)
  const expiresAt = new Date((deps.now ?? Date.now)() + downloadSeconds * 1000)
  const link = { expiresInSeconds: downloadSeconds, contentType, downloadName: fileName }
  return { url: await deps.files.link(key, link), expiresAt, fileName }
}

async function downloadOf(deps: ArtifactsDeps, artifact: ArtifactWithFiles, asZip = false) {
  const [only, ...others] = artifact.files
  if (only && others.length === 0 && !asZip) {
    const fileName = only.path.slice(only.path.lastIndexOf('/') + 1)
    return { key: prefixOf(artifact) + only.sha256, contentType: 'text/plain; charset=utf-8', fileName }
  }
  const fileName = `${slugOf(artifact.title)}.zip`
  const key = prefixOf(artifact) + archiveName(artifact.id)
  await makeArchive(deps, artifact, key)
  return { key, contentType: 'application/zip', fileName }
}

async function makeArchive(deps: ArtifactsDeps, artifact: ArtifactWithFiles, key: string): Promise<void> {
  if (await deps.files.get(key)) return
  const contents = runnableProject(artifact.title, await contentsOf(deps, artifact))
  // Paths were checked when they were found in the answer: relative, plain, different even where case does not count.
  const entries: AsyncZippable = Object.fromEntries(
    contents.map(file => [file.path, Buffer.from(file.content, 'utf8')]),
  )
  const bytes = await compress(entries, { level: 6, mtime: artifact.createdAt })
  await deps.files.put(key, bytes, { contentType: 'application/zip' })
}

async function remove(deps: ArtifactsDeps, accountId: string, id: string): Promise<ArtifactWithFiles> {
  const { db, files, bundler } = deps
  const artifact = await find(deps, accountId, id)
  if (!(await deleteArtifact(db, accountId, id))) throw missing('Artifact')
  const needed = await db.transaction().execute(async transaction => {
    await lockConversation(transaction, artifact.conversationId)
    return neededNames(await listContents(transaction, artifact.conversationId), bundler.fingerprint)
  })
  for (const name of [...artifact.files.map(file => file.sha256), archiveName(id)]) {
    if (!needed.has(name)) await files.delete(prefixOf(artifact) + name)
  }
  return artifact
}
