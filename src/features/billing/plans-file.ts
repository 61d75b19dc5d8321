import { AppError } from '../../lib/errors.ts'

/** A plan as the operator's file tells of it; what it leaves out has a default. */
export interface PlanEntry {
  id: string
  name?: string
  description?: string
  priceCents?: number
  currency?: string
  dailyMessages?: number
  monthlyCredits?: number
  features?: string[]
  stripePriceId?: string
}

/** The file of PLANS_FILE, read as JSON; its form is not known yet. */
export interface PlansFile {
  path: string
  content: unknown
}

type Rule = { says: string; holds: (value: unknown) => boolean }

const text = (longest: number): Rule => ({
  says: `must be a text of 1 to ${longest} characters`,
  holds: value => typeof value === 'string' && value.trim() !== '' && value.length <= longest,
})
const whole = (least: number, most: number): Rule => ({
  says: `must be a whole number from ${least} to ${most}`,
  holds: value => Number.isSafeInteger(value) && Number(value) >= least && Number(value) <= most,
})

const mostPlans = 20
const mostFeatures = 20
const most = 1_000_000_000

const rules: Record<keyof PlanEntry, Rule> = {
  id: {
    says: 'must be 1 to 40 of a-z, 0-9 and -, and begin with a letter',
    holds: value => typeof value === 'string' && /^[a-z][a-z0-9-]{0,39}$/.test(value),
  },
  name: text(60),
  description: text(300),
  priceCents: whole(0, 99_999_999),
  currency: {
    says: 'must be the code of a currency with hundredths, such as usd or eur',
    holds: value => typeof value === 'string' && /^[a-z]{3}$/.test(value) && hasHundredths(value),
  },
  dailyMessages: whole(0, most),
  monthlyCredits: whole(0, most),
  features: {
    says: `must be a list of at most ${mostFeatures} texts of 1 to 100 characters`,
    holds: value => Array.isArray(value) && value.length <= mostFeatures && value.every(text(100).holds),
  },
  stripePriceId: {
    says: 'must be the id of a price at Stripe, such as price_1A2b',
    holds: value => typeof value === 'string' && /^[\w-]{3,255}$/.test(value),
  },
}
const needed = ['name', 'priceCents', 'dailyMessages'] as const

/**
 * The plans of the operator's file. `known` are those that there are without it: an entry of their name changes what it
 * names. Throws AppError invalid INVALID_PLANS, which names the file, the field and the rule that it breaks.
 */
export function readPlansFile({ path, content }: PlansFile, known: readonly string[]): PlanEntry[] {
  const refuse = (field: string, rule: string): never => {
    throw new AppError('invalid', 'INVALID_PLANS', `PLANS_FILE ${path}: ${field} ${rule}`)
  }
  const { plans, ...others } = isObject(content)
    ? content
    : refuse('the file', 'must be an object with plans')
  const [other] = Object.keys(others)
  if (other !== undefined) refuse(other, 'is not a known field; there is plans')
  if (!Array.isArray(plans) || plans.length > mostPlans)
    return refuse('plans', `must be a list of at most ${mostPlans} plans`)
  for (const [at, entry] of plans.entries()) {
    const place = `plans[${at}]`
    if (!isObject(entry)) return refuse(place, 'must be an object')
    for (const [name, value] of Object.entries(entry)) {
      const rule = Object.hasOwn(rules, name) ? rules[name as keyof PlanEntry] : undefined
      if (!rule)
        refuse(`${place}.${name}`, `is not a known field; there are ${Object.keys(rules).join(', ')}`)
      else if (!rule.holds(value)) refuse(`${place}.${name}`, rule.says)
    }
    for (const name of known.includes(String(entry.id)) ? ['id'] : ['id', ...needed])
      if (entry[name] === undefined) refuse(`${place}.${name}`, 'is required')
    const isFree = entry.id === 'basic'
    if (entry.priceCents !== undefined && (entry.priceCents === 0) !== isFree)
      refuse(
        `${place}.priceCents`,
        isFree ? 'must be 0: basic is what everybody has' : 'must be above 0: only basic is free',
      )
    if (isFree && entry.stripePriceId !== undefined)
      refuse(`${place}.stripePriceId`, 'cannot be set: basic is free')
  }
  const entries = plans as PlanEntry[]
  for (const name of ['id', 'stripePriceId'] as const) {
    const at = entries.findIndex((entry, index) =>
      entries.slice(0, index).some(earlier => entry[name] !== undefined && earlier[name] === entry[name]),
    )
    if (at >= 0) refuse(`plans[${at}].${name}`, `"${entries[at]?.[name]}" is used twice`)
  }
  return entries
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function hasHundredths(currency: string): boolean {
  const options = { style: 'currency', currency } as const
  return new Intl.NumberFormat('en', options).resolvedOptions().maximumFractionDigits === 2
}
