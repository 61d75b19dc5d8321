import { largestCodeBytes, type Plugin, type Plugins } from '../../features/plugins/index.ts'
import { AppError } from '../../lib/errors.ts'
import type { DialectParts } from '../parts.ts'
import { chatOf, envelope, lastCodeOf, ownId, publishedId } from './present.ts'

const mostPlugins = 200
const perPage = 50

export async function createPlugin(
  { plugins }: DialectParts,
  accountId: string,
  { pluginName }: { pluginName: string },
) {
  const { id } = await plugins.create(accountId, { name: pluginName })
  const message = 'Plugin generator session created successfully'
  return envelope({ message, pluginId: publishedId(id) })
}

/** All plugins with their chats; `isFinal` says that there is a generated plugin. */
export async function listPlugins({ plugins }: DialectParts, accountId: string) {
  const found: Plugin[] = []
  let cursor: string | undefined
  do {
    const page = await plugins.list({ accountId, limit: perPage, cursor })
    found.push(...page.plugins)
    cursor = page.nextCursor ?? undefined
  } while (cursor !== undefined && found.length < mostPlugins)
  const shown: object[] = []
  // One after the other: a list must not take all connections to the database.
  for (const plugin of found.toReversed()) shown.push(await presentPlugin(plugins, accountId, plugin))
  return envelope(shown)
}

async function presentPlugin(plugins: Plugins, accountId: string, { id, name, savedVersion }: Plugin) {
  const chat = chatOf(await plugins.history(accountId, id)).map(({ _id, ...line }) => line)
  const saved = savedVersion === null ? null : await plugins.version(accountId, id, savedVersion)
  const generatedPlugin = saved?.code ?? null
  return { pluginId: publishedId(id), pluginName: name, chat, generatedPlugin, isFinal: saved !== null }
}

/** What was said: as an array, or as the object that the existing front end reads. */
export async function readHistory(
  { plugins, settings }: DialectParts,
  accountId: string,
  { plugin_id }: { plugin_id: string },
) {
  const chat = chatOf(await orAbsent(plugins.history(accountId, ownId(plugin_id))))
  if (settings.secretEchoHistory === 'object') return envelope({ chat, lastCode: lastCodeOf(chat) })
  return envelope(chat.map(({ _id, ...line }) => line))
}

/** Keeps a message of the client's own, marked as such. */
export async function addMessage(
  { plugins }: DialectParts,
  accountId: string,
  { pluginId, ...given }: { pluginId: string; content: string; sender: string },
) {
  const sender = given.sender === 'plugin_generator' ? 'plugin_generator' : 'user'
  await orAbsent(plugins.addClientMessage(accountId, ownId(pluginId), { sender, content: given.content }))
  return envelope({ message: 'Message saved successfully' })
}

export async function savePlugin(
  { plugins }: DialectParts,
  accountId: string,
  { pluginId, generatedPlugin }: { pluginId: string; generatedPlugin: string },
) {
  if (Buffer.byteLength(generatedPlugin) > largestCodeBytes) {
    const message = 'Generated Plugin must have at most 1 MB'
    throw new AppError('too-large', 'CODE_TOO_LARGE', message, {
      details: [{ field: 'generatedPlugin', message: 'must have at most 1 MB' }],
    })
  }
  const given = { code: generatedPlugin, asSaved: true }
  await orAbsent(plugins.saveClientCode(accountId, ownId(pluginId), given))
  return envelope({ message: 'Generated plugin saved successfully' })
}

/** An absent or foreign plugin, in the words of this API. */
export async function orAbsent<Result>(work: Promise<Result>): Promise<Result> {
  try {
    return await work
  } catch (thrown) {
    if (thrown instanceof AppError && thrown.kind === 'missing')
      throw new AppError('missing', thrown.code, 'PluginGenerator not found')
    throw thrown
  }
}
