export const pluginId = 'plugin_0198c0de-5b7a-7000-8000-1f2e3d4c5b6a'
export const code = '<?php\n/* Plugin Name: Gift wrapping */\n'

const timestamp = '2026-01-02T03:04:05.000Z'
const chat = [
  { content: 'Create a WooCommerce plugin for gift wrapping', sender: 'user', timestamp },
  { content: 'Here is a first draft.', sender: 'plugin_generator', timestamp },
]
const envelope = <Data>(data: Data) => ({ success: true, data, errors: [] as string[] })

export const created = envelope({ message: 'Plugin generator session created successfully', pluginId })
export const list = envelope([
  { pluginId, pluginName: 'My Plugin', chat, generatedPlugin: null, isFinal: false },
])
export const history = envelope(chat)
export const saved = (message: string) => envelope({ message })
