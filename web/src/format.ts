import type { Model } from './api/types.ts'

const whole = new Intl.NumberFormat()
const compact = new Intl.NumberFormat(undefined, { notation: 'compact', maximumFractionDigits: 1 })

/** 128000 → "128K tokens". */
export function formatTokens(count: number): string {
  return `${compact.format(count)} tokens`
}

/** A model's label without what stands behind it in brackets: "Sandbox (built in)" → "Sandbox". */
export function shortLabel(label: string): string {
  return label.replace(/\s*\(.*\)$/, '')
}

const letters = new Intl.Segmenter(undefined, { granularity: 'grapheme' })

/** The first letter of the first and of the last word, whole even where it is an emoji: "Ada M. Lovelace" → "AL". */
export function initialsOf(name: string): string {
  const words = name.trim().split(/\s+/)
  const ends = words.length > 1 ? [words.at(0), words.at(-1)] : words
  return ends.map(word => firstLetter(word ?? '').toUpperCase()).join('')
}

function firstLetter(word: string): string {
  const [first] = letters.segment(word)
  return first?.segment ?? ''
}

/** 1234 → "1,234". */
export function formatCount(count: number): string {
  return whole.format(count)
}

/** Micro-credits as credits with as many digits as matter: 1234 → "0.0012 credits", 0 → "free". */
export function formatCost(microCredits: number): string {
  if (microCredits <= 0) return 'free'
  const credits = microCredits / 1_000_000
  const digits = new Intl.NumberFormat(undefined, { maximumSignificantDigits: credits >= 1 ? 4 : 2 })
  const amount = digits.format(credits)
  return `${amount} ${amount === '1' ? 'credit' : 'credits'}`
}

/** What a model costs, in one short phrase. */
export function formatPrice(model: Model): string {
  const { inputPriceMicroCredits: input, outputPriceMicroCredits: output } = model
  if (model.payer === 'key') return 'your own key'
  if (input === 0 && output === 0) return 'free'
  return `${perMillion(input)} / ${perMillion(output)} credits per 1M`
}

function perMillion(microCreditsPerThousand: number): string {
  return compact.format(microCreditsPerThousand / 1_000)
}

/** 2048 → "2 KB". */
export function formatBytes(bytes: number): string {
  if (bytes < 1_000) return `${bytes} B`
  const kilobytes = bytes / 1_000
  return kilobytes < 1_000 ? `${Math.round(kilobytes)} KB` : `${(kilobytes / 1_000).toFixed(1)} MB`
}
