import type { CatalogueModel } from './index.ts'

/**
 * The well-known models of each provider, best first for the price: a provider's first one is its default.
 *
 * Money: 1 credit = 1 US cent = 1,000,000 micro-credits. A provider's price of 1 USD per million tokens is therefore
 * 100 credits per million tokens, that is 100,000 micro-credits per 1,000 tokens.
 *
 * Prices are the providers' published standard prices of November 2026, without promotions (Gemini 3.8 Flash costs half
 * of this until the end of 2026), without discounts for cached input and without the surcharges for very long prompts:
 * `contextTokens` ends where a surcharge of the provider begins, so a run never costs more than it is sold for.
 */
const microCreditsPerThousand = 100_000

type Row = readonly [
  name: string,
  label: string,
  contextTokens: number,
  maxOutputTokens: number,
  inputUsd: number,
  outputUsd: number,
]

const rows: Readonly<Record<string, readonly Row[]>> = {
  gemini: [
    ['gemini-3.8-flash', 'Gemini 3.8 Flash', 1_048_576, 65_536, 1.5, 7.5],
    ['gemini-3.5-flash-lite', 'Gemini 3.5 Flash-Lite', 1_048_576, 65_536, 0.3, 2.5],
    ['gemini-3.1-pro-preview', 'Gemini 3.1 Pro', 200_000, 65_536, 2, 12],
    ['gemini-2.5-flash', 'Gemini 2.5 Flash', 1_048_576, 65_536, 0.3, 2.5],
    ['gemini-2.5-flash-lite', 'Gemini 2.5 Flash-Lite', 1_048_576, 65_536, 0.1, 0.4],
    ['gemini-2.5-pro', 'Gemini 2.5 Pro', 200_000, 65_536, 1.25, 10],
  ],
  openrouter: [
    ['google/gemini-3.8-flash', 'Gemini 3.8 Flash', 1_048_576, 65_536, 1.5, 7.5],
    ['google/gemini-2.5-flash', 'Gemini 2.5 Flash', 1_048_576, 65_535, 0.3, 2.5],
    ['openai/gpt-6-luna', 'GPT-6 Luna', 272_000, 128_000, 0.1, 0.5],
    ['openai/gpt-6.1-sol', 'GPT-6.1 Sol', 272_000, 128_000, 2, 10],
    ['anthropic/claude-haiku-5.5', 'Claude Haiku 5.5', 100_000, 64_000, 0.1, 0.5],
    ['anthropic/claude-sonnet-5.5', 'Claude Sonnet 5.5', 1_000_000, 128_000, 2, 10],
    ['anthropic/claude-opus-5.5', 'Claude Opus 5.5', 1_000_000, 128_000, 4, 20],
  ],
  openai: [
    ['gpt-6-luna', 'GPT-6 Luna', 272_000, 128_000, 0.1, 0.5],
    ['gpt-6.1-sol', 'GPT-6.1 Sol', 272_000, 128_000, 2, 10],
    ['gpt-5.1', 'GPT-5.1', 400_000, 128_000, 1.25, 10],
    ['gpt-5-mini', 'GPT-5 mini', 400_000, 128_000, 0.25, 2],
    ['gpt-4.1', 'GPT-4.1', 1_047_576, 32_768, 2, 8],
    ['gpt-4.1-mini', 'GPT-4.1 mini', 1_047_576, 32_768, 0.4, 1.6],
    ['gpt-4o-mini', 'GPT-4o mini', 128_000, 16_384, 0.15, 0.6],
  ],
  anthropic: [
    ['claude-sonnet-5-5', 'Claude Sonnet 5.5', 1_000_000, 128_000, 2, 10],
    ['claude-opus-5-5', 'Claude Opus 5.5', 1_000_000, 128_000, 4, 20],
    ['claude-haiku-5-5', 'Claude Haiku 5.5', 100_000, 64_000, 0.1, 0.5],
    ['claude-sonnet-4-6', 'Claude Sonnet 4.6', 200_000, 64_000, 3, 15],
    ['claude-haiku-4-5', 'Claude Haiku 4.5', 200_000, 64_000, 1, 5],
  ],
  // Answers with people's own keys only.
  perplexity: [
    ['sonar', 'Sonar', 127_072, 8192, 1, 1],
    ['sonar-pro', 'Sonar Pro', 200_000, 8192, 3, 15],
    ['sonar-reasoning-pro', 'Sonar Reasoning Pro', 127_072, 8192, 2, 8],
  ],
}

/** The well-known models of a provider; empty for a provider without any. */
export function knownModels(provider: string): CatalogueModel[] {
  const known = Object.hasOwn(rows, provider) ? rows[provider] : undefined
  return (known ?? []).map(([name, label, contextTokens, maxOutputTokens, inputUsd, outputUsd]) => ({
    id: `${provider}/${name}`,
    provider,
    name,
    label,
    contextTokens,
    maxOutputTokens,
    inputPriceMicroCredits: Math.round(inputUsd * microCreditsPerThousand),
    outputPriceMicroCredits: Math.round(outputUsd * microCreditsPerThousand),
  }))
}

/**
 * A model that nobody here knows: sizes that nearly every model has, and a price at the upper end of what models of the
 * middle class cost (3 and 15 USD per million tokens), so that an unknown model is not given away.
 */
export function unknownModel(provider: string, name: string): CatalogueModel {
  return {
    id: `${provider}/${name}`,
    provider,
    name,
    label: name,
    contextTokens: 32_768,
    maxOutputTokens: 8192,
    inputPriceMicroCredits: 3 * microCreditsPerThousand,
    outputPriceMicroCredits: 15 * microCreditsPerThousand,
  }
}
