/** Providers that a key can be for, as people know them. */
export const providers = [
  { value: 'openai', label: 'OpenAI' },
  { value: 'gemini', label: 'Google Gemini' },
  { value: 'anthropic', label: 'Anthropic' },
  { value: 'openrouter', label: 'OpenRouter' },
  { value: 'perplexity', label: 'Perplexity' },
  { value: 'custom', label: 'Other server (OpenAI-compatible)' },
] as const

/** A provider's name; its word in the API where it has none here. */
export function providerLabel(provider: string): string {
  return providers.find(({ value }) => value === provider)?.label ?? provider
}

/** "llama3.2, qwen3" → its names, without empty ones. */
export function namesIn(text: string): string[] {
  return text
    .split(/[\s,]+/)
    .map(name => name.trim())
    .filter(Boolean)
}
