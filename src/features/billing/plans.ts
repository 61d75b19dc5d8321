/** The plans that there are; more are added here, and to the check of `accounts.plan`. */
export type PlanId = 'basic' | 'pro'

export interface Plan {
  id: PlanId
  name: string
  description: string
  /** What a month costs; 0 is free. */
  priceCents: number
  currency: 'usd'
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
}

export type Catalogue = ReturnType<typeof createCatalogue>

/** Everything that is for sale, and what it costs: nothing that a caller sends decides about either. */
export function createCatalogue(settings: PlanSettings) {
  const plans = plansOf(settings)
  return {
    plans: Object.values(plans),
    packages: creditPackages,
    signupCredits: settings.signupCredits,
    plan: (id: PlanId): Plan => plans[id],
    /** A plan by a name that came from outside, or null. */
    findPlan: (id: string): Plan | null => Object.values(plans).find(plan => plan.id === id) ?? null,
    findPackage: (id: string): CreditPackage | null => creditPackages.find(one => one.id === id) ?? null,
    /** Messages a day by plan. */
    dailyLimits: { basic: plans.basic.dailyMessages, pro: plans.pro.dailyMessages },
  }
}

const creditPackages: readonly CreditPackage[] = [
  { id: 'small', name: '500 credits', credits: 500, priceCents: 500, currency: 'usd' },
  { id: 'medium', name: '1,100 credits', credits: 1100, priceCents: 1000, currency: 'usd' },
  { id: 'large', name: '3,000 credits', credits: 3000, priceCents: 2500, currency: 'usd' },
]

function plansOf(settings: PlanSettings): Record<PlanId, Plan> {
  const count = (value: number) => value.toLocaleString('en-US')
  return {
    basic: {
      id: 'basic',
      name: 'Basic',
      description: 'For trying things out.',
      priceCents: 0,
      currency: 'usd',
      dailyMessages: settings.basicDailyMessages,
      monthlyCredits: 0,
      features: [`${count(settings.basicDailyMessages)} messages a day`, 'Every model', 'Your own keys'],
      providerPriceId: null,
    },
    pro: {
      id: 'pro',
      name: 'Pro',
      description: 'For working with it every day.',
      priceCents: 999,
      currency: 'usd',
      dailyMessages: settings.proDailyMessages,
      monthlyCredits: 500,
      features: [
        `${count(settings.proDailyMessages)} messages a day`,
        '500 credits a month',
        'Every model',
        'Your own keys',
      ],
      providerPriceId: settings.proPriceId ?? null,
    },
  }
}
