import { AppError } from '../../lib/errors.ts'
import { type PlanEntry, type PlansFile, readPlansFile } from './plans-file.ts'

export interface Plan {
  id: string
  name: string
  description: string
  /** What a month costs; 0 is free. */
  priceCents: number
  /** In lower case, as Stripe writes it. */
  currency: string
  /** Messages that the plan pays for on a day (UTC). */
  dailyMessages: number
  /** Credits that come with each paid month. */
  monthlyCredits: number
  features: readonly string[]
  /** The price at Stripe; without it the price above is told to Stripe with each checkout. */
  providerPriceId: string | null
}

/** Credits that are bought once. */
export interface CreditPackage {
  id: string
  name: string
  credits: number
  priceCents: number
  currency: 'usd'
}

/** What the operator decides about plans. */
export interface PlanSettings {
  basicDailyMessages: number
  proDailyMessages: number
  /** Given once to a new account. */
  signupCredits: number
  proPriceId: string | undefined
  /** More plans, and changes of the two that there are. */
  file?: PlansFile | undefined
}

/** Of a subscription or its invoice, what tells which plan it is for. */
export interface PlanTraces {
  /** Its price at the provider. */
  priceId: string | null
  /** What was written on it at its checkout. */
  planId: string | null
}

export type Catalogue = ReturnType<typeof createCatalogue>

/**
 * Everything that is for sale, and what it costs: nothing that a caller sends decides about either. Throws AppError invalid
 * INVALID_PLANS when the operator's file cannot be used.
 */
export function createCatalogue(settings: PlanSettings) {
  const plans = plansOf(settings)
  const findPlan = (id: string): Plan | null => plans.find(plan => plan.id === id) ?? null
  const basic = findPlan('basic') as Plan
  return {
    plans,
    packages: creditPackages,
    signupCredits: settings.signupCredits,
    /** A plan by a name that came from outside, or null. */
    findPlan,
    /** A plan by a name that was kept; one that is not defined (any more) is basic. */
    plan: (id: string): Plan => findPlan(id) ?? basic,
    /** The name of the plan that is paid for; its price tells, since the provider's portal changes no more than that. */
    paidPlan: ({ priceId, planId }: PlanTraces): string =>
      plans.find(plan => priceId !== null && plan.providerPriceId === priceId)?.id ?? planId ?? 'pro',
    findPackage: (id: string): CreditPackage | null => creditPackages.find(one => one.id === id) ?? null,
    /** Messages a day by plan; basic's are for whatever else an account is on. */
    dailyLimits: Object.fromEntries(plans.map(plan => [plan.id, plan.dailyMessages])),
  }
}

const creditPackages: readonly CreditPackage[] = [
  { id: 'small', name: '500 credits', credits: 500, priceCents: 500, currency: 'usd' },
  { id: 'medium', name: '1,100 credits', credits: 1100, priceCents: 1000, currency: 'usd' },
  { id: 'large', name: '3,000 credits', credits: 3000, priceCents: 2500, currency: 'usd' },
]

/** A plan whose features are told by what it allows, unless they are given. */
type Draft = Omit<Plan, 'features'> & { features?: readonly string[] }

function plansOf(settings: PlanSettings): Plan[] {
  const drafts = new Map(ownPlans(settings).map(draft => [draft.id, draft]))
  const entries = settings.file ? readPlansFile(settings.file, [...drafts.keys()]) : []
  for (const entry of entries) drafts.set(entry.id, changed(drafts.get(entry.id), entry))
  const plans = [...drafts.values()].map(draft => ({
    ...draft,
    features: draft.features ?? featuresOf(draft),
  }))
  refuseSharedPrice(plans, settings.file?.path ?? '')
  return plans
}

/** The two that there are without a file. */
function ownPlans(settings: PlanSettings): Draft[] {
  return [
    {
      id: 'basic',
      name: 'Basic',
      description: 'For trying things out.',
      priceCents: 0,
      currency: 'usd',
      dailyMessages: settings.basicDailyMessages,
      monthlyCredits: 0,
      providerPriceId: null,
    },
    {
      id: 'pro',
      name: 'Pro',
      description: 'For working with it every day.',
      priceCents: 999,
      currency: 'usd',
      dailyMessages: settings.proDailyMessages,
      monthlyCredits: 500,
      providerPriceId: settings.proPriceId ?? null,
    },
  ]
}

function changed(known: Draft | undefined, { stripePriceId, ...entry }: PlanEntry): Draft {
  const { name = entry.id, priceCents = 0, dailyMessages = 0 } = entry
  const fresh: Draft = {
    ...{ id: entry.id, name, description: `${name}, by the month.`, priceCents, currency: 'usd' },
    ...{ dailyMessages, monthlyCredits: 0, providerPriceId: null },
  }
  const price = stripePriceId === undefined ? {} : { providerPriceId: stripePriceId }
  return { ...(known ?? fresh), ...entry, ...price }
}

function featuresOf({ dailyMessages, monthlyCredits }: Draft): string[] {
  const count = (value: number) => value.toLocaleString('en-US')
  const credits = monthlyCredits > 0 ? [`${count(monthlyCredits)} credits a month`] : []
  return [`${count(dailyMessages)} messages a day`, ...credits, 'Every model', 'Your own keys']
}

/** A price must tell which plan is paid for; the environment's STRIPE_PRICE_ID may be told in the file again. */
function refuseSharedPrice(plans: readonly Plan[], path: string): void {
  const at = plans.findIndex(({ providerPriceId: id }, index) =>
    plans.slice(0, index).some(earlier => id !== null && earlier.providerPriceId === id),
  )
  const plan = plans[at]
  if (plan)
    throw new AppError(
      'invalid',
      'INVALID_PLANS',
      `PLANS_FILE ${path}: stripePriceId of ${plan.id} "${plan.providerPriceId}" is that of another plan`,
    )
}
