import type { CatalogueModel, Usage } from '../../platform/models/index.ts'

/** What the tokens of a run cost, in micro-credits, rounded up. */
export function costOf(model: CatalogueModel, usage: Usage): number {
  const input = Math.max(0, usage.inputTokens) * model.inputPriceMicroCredits
  const output = Math.max(0, usage.outputTokens) * model.outputPriceMicroCredits
  return Math.ceil((input + output) / 1000)
}

const charactersPerToken = 4

/** About how many tokens a text has, for budgets and for providers that do not count. */
export function estimateTokens(text: string): number {
  return Math.ceil(text.length / charactersPerToken)
}
