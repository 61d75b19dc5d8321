import Type from 'typebox'
import { secretEcho } from '../dialects.ts'
import { speak } from '../speech.ts'
import * as example from './examples.ts'

const endpoint = speak(secretEcho)

/** The texts that are published for broken rules: of a field whatever is wrong with it. */
const texts = {
  pluginName: 'Plugin Name is required',
  pluginId: 'Plugin ID is required',
  plugin_id: 'Plugin ID is required',
  content: 'Content is required',
  sender: "Sender must be either 'user' or 'plugin_generator'",
  generatedPlugin: 'Generated Plugin is required',
  'pluginName must be at most 200 characters long': 'Plugin Name must have at most 200 characters',
  'content must be at most 100000 characters long': 'Content must have at most 100000 characters',
}

const Filled = (maxLength: number) => Type.String({ minLength: 1, maxLength, pattern: '\\S' })
const PluginId = Filled(200)
const Content = Filled(100_000)

/** What each path takes and gives, for the check of requests and the page at /docs. */
export const asks = {
  create: endpoint({
    summary: 'Begin a plugin',
    asks: { body: Type.Object({ pluginName: Filled(200) }, { examples: [{ pluginName: 'My Plugin' }] }) },
    answers: { 200: example.created },
    failures: [400, 401, 429],
    texts,
  }),
  list: endpoint({
    summary: 'List the plugins with what was said about them',
    description: 'The newest 200, the oldest of them first.',
    answers: { 200: example.list },
    failures: [401, 429],
  }),
  history: endpoint({
    summary: 'Read what was said about a plugin',
    description:
      'An array as published; `{chat, lastCode}` where the operator sets SECRET_ECHO_HISTORY=object.',
    asks: { querystring: Type.Object({ plugin_id: PluginId }) },
    answers: { 200: example.history },
    failures: [400, 401, 404, 429],
    texts,
  }),
  addMessage: endpoint({
    summary: 'Put a message into the history',
    description:
      'It is kept as what the client says, whichever sender it names: the model is never told of it. To ask the model, use the socket.',
    asks: {
      body: Type.Object(
        {
          pluginId: PluginId,
          content: Content,
          sender: Type.Enum(['user', 'plugin_generator']),
        },
        { examples: [{ pluginId: example.pluginId, content: 'Add gift wrapping', sender: 'user' }] },
      ),
    },
    answers: { 200: example.saved('Message saved successfully') },
    failures: [400, 401, 404, 429],
    texts,
  }),
  savePlugin: endpoint({
    summary: 'Keep code as the generated plugin',
    asks: {
      body: Type.Object(
        { pluginId: PluginId, generatedPlugin: Type.String({ minLength: 1, pattern: '\\S' }) },
        { examples: [{ pluginId: example.pluginId, generatedPlugin: example.code }] },
      ),
    },
    answers: { 200: example.saved('Generated plugin saved successfully') },
    failures: [400, 401, 404, 413, 429],
    texts,
  }),
}
