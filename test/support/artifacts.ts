import { join } from 'node:path'
import { pino } from 'pino'
import { type Artifacts, createArtifacts } from '../../src/features/artifacts/index.ts'
import { artifactRoutes, previewRoutes } from '../../src/features/artifacts/routes.ts'
import type { ArtifactSummary } from '../../src/features/artifacts/schema.ts'
import { AppError } from '../../src/lib/errors.ts'
import { newId } from '../../src/lib/ids.ts'
import { createEsbuildBundler } from '../../src/platform/bundler/esbuild.ts'
import type { Bundler } from '../../src/platform/bundler/index.ts'
import { ensureVendor } from '../../src/platform/bundler/vendor.ts'
import { openDiskFiles } from '../../src/platform/files/disk.ts'
import type { Files } from '../../src/platform/files/index.ts'
import { fileRoutes } from '../../src/platform/files/routes.ts'
import { createServer, type Server } from '../../src/transport/server.ts'
import { insertAccount } from './accounts.ts'
import { createTestDatabase, type TestDatabase } from './database.ts'
import { makeTestFolder, removeTestFolder } from './folder.ts'

const key = 'a key for tests, longer than thirty-two bytes'

/** The artifacts feature on a database and a disk of its own, with its routes; a bearer token is an account's id. */
export interface ArtifactsWorld extends AsyncDisposable {
  database: TestDatabase
  artifacts: Artifacts
  files: Files
  bundler: Bundler
  /** The feature once more on the same rows and files, as another process has it. */
  again(bundler: Bundler): Artifacts
  server: Server
  /** A new account. */
  account(): Promise<string>
  /** A new conversation of an account. */
  conversation(accountId: string): Promise<string>
  /** A run whose answer is `text`, fed in pieces of `size`; gives what it told. */
  answer(
    place: { accountId: string; conversationId: string },
    text: string,
    options?: AnswerOptions,
  ): Promise<Told>
  /** Moves the clock of links and tokens. */
  wait(seconds: number): void
  /** Keys of all stored objects. */
  keys(): Promise<string[]>
}

export interface AnswerOptions {
  size?: number
  prefix?: string
  generationId?: string
  messageId?: string
}

export interface Told {
  events: { type: string; [field: string]: unknown }[]
  artifacts: ArtifactSummary[]
  messageId: string
  generationId: string
}

export interface WorldOptions {
  /** In place of a disk of its own; closed by whoever opened it. */
  files?: Files
  /** For packages that are not built in. */
  cdn?: string
}

/** Opens a world of artifacts: `await using world = await openArtifacts()`. */
export async function openArtifacts(options: WorldOptions = {}): Promise<ArtifactsWorld> {
  const database = await createTestDatabase()
  const folder = await makeTestFolder('artifacts')
  let clock = 0
  const now = () => Date.now() + clock
  const url = { origin: 'http://127.0.0.1' }
  const disk = await openDiskFiles({ root: join(folder, 'files'), key, publicUrl: () => url.origin, now })
  const files = options.files ?? disk
  const vendor = await ensureVendor()
  const bundler = createEsbuildBundler({ vendor, cdn: options.cdn })
  const again = (own: Bundler) =>
    createArtifacts({
      db: database.db,
      files,
      bundler: own,
      previewKey: `${key}, another`,
      now,
      cdn: options.cdn,
    })
  const artifacts = again(bundler)
  const server = await createServer({
    logger: pino({ level: 'silent' }),
    authenticator: {
      async authenticate(token) {
        if (!token) throw new AppError('unauthenticated', 'AUTH_REQUIRED', 'no token')
        return { accountId: token, sessionId: newId(), role: 'user' }
      },
    },
    corsOrigins: [],
  })
  await server.register(artifactRoutes(artifacts), { prefix: '/api/v1' })
  await server.register(previewRoutes(artifacts, { vendorDirectory: vendor.directory }))
  await server.register(fileRoutes(disk))
  const { db } = database

  return {
    database,
    artifacts,
    files,
    bundler,
    again,
    server,
    account: () => insertAccount(db),
    async conversation(accountId) {
      const id = newId()
      await db
        .insertInto('conversations')
        .values({ id, account_id: accountId, kind: 'chat', title: 'Test' })
        .execute()
      return id
    },
    async answer({ accountId, conversationId }, text, options = {}) {
      const { messageId = newId(), generationId = newId(), prefix = '', size = 7 } = options
      if (!options.messageId) {
        const position =
          Number(
            (
              await db
                .selectFrom('messages')
                .select(eb => eb.fn.countAll().as('n'))
                .where('conversation_id', '=', conversationId)
                .executeTakeFirst()
            )?.n ?? 0,
          ) + 1
        await db
          .insertInto('messages')
          .values({
            id: messageId,
            conversation_id: conversationId,
            account_id: accountId,
            position,
            role: 'assistant',
            content: text,
          })
          .execute()
      }
      const events: Told['events'] = []
      const observer = artifacts.observer({
        generationId,
        accountId,
        conversationId,
        replyId: messageId,
        prefix,
        emit: event => void events.push(event),
      })
      for (let at = 0; at < text.length; at += size) observer?.text(text.slice(at, at + size))
      await observer?.end()
      const ready = events.filter(event => event.type === 'artifact-ready')
      return {
        events,
        artifacts: ready.map(event => event.artifact as ArtifactSummary),
        messageId,
        generationId,
      }
    },
    wait(seconds) {
      clock += seconds * 1000
    },
    async keys() {
      const keys: string[] = []
      for await (const name of files.list('')) keys.push(name)
      return keys
    },
    async [Symbol.asyncDispose]() {
      await server.close()
      await bundler.close()
      await disk.close()
      await database.close()
      await removeTestFolder(folder)
    },
  }
}
