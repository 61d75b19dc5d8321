import type { Server } from '../../transport/server.ts'
import { autoverseHub } from '../dialects.ts'
import type { DialectParts } from '../parts.ts'
import { speak } from '../speech.ts'
import { toCredits } from '../user.ts'

const endpoint = speak(autoverseHub)

/** What the plan of the account is and allows. */
export function plans(parts: DialectParts) {
  return async (server: Server) => {
    for (const path of ['/api/plans', '/api/plans/limits']) {
      server.get(path, everything, async request => planOf(parts, request.identity.accountId))
    }
    server.get('/api/plans/current', current, async request => {
      const { currentPlan, limits, features } = await planOf(parts, request.identity.accountId)
      return { success: true, currentPlan, plan: currentPlan, limits, features }
    })
  }
}

/** Social accounts, teams and automation are not ours: their numbers are 0, and nobody has the add-ons. */
async function planOf({ accounts, billing, buying, keys }: DialectParts, accountId: string) {
  const [account, balance, own, preference] = await Promise.all([
    accounts.read(accountId),
    billing.balance(accountId),
    keys.list(accountId),
    keys.preference(accountId),
  ])
  const plan = buying.plans.find(one => one.id === account.plan)
  const left = toCredits(balance)
  return {
    success: true,
    currentPlan: {
      type: account.plan,
      name: plan?.name ?? account.plan,
      creditsRemaining: left,
      effectiveCredits: left,
      platformCredits: left,
      byokCredits: left,
      hasOwnKeys: own.length > 0,
      apiKeyPreference: preference?.preference ?? null,
      individualPlan: account.plan,
      teamPlan: null,
      hasTeamAccess: false,
      automationAccess: { active: false, packages: [] },
      agencyAddonAccess: false,
    },
    limits: {
      profilesPerPlatform: 0,
      totalSocialAccounts: 0,
      teamMembers: 0,
      dailyMessages: plan?.dailyMessages ?? 0,
    },
    features: plan?.features ?? [],
    support: 'email',
    availablePlans: buying.plans.map(({ id, name, monthlyCredits, features, priceCents }) => ({
      ...{ type: id, name, features, price: priceCents / 100 },
      credits: monthlyCredits,
      platformCredits: monthlyCredits,
      byokCredits: monthlyCredits,
      bonusCredits: 0,
      support: 'email',
    })),
    availableAutomationAddons: [],
    availableAgencyAddons: [],
  }
}

const exampleCurrent = {
  type: 'basic',
  name: 'Basic',
  creditsRemaining: 20,
  effectiveCredits: 20,
  platformCredits: 20,
  byokCredits: 20,
  hasOwnKeys: false,
  apiKeyPreference: null,
  automationAccess: { active: false, packages: [] },
}
const exampleLimits = { profilesPerPlatform: 0, totalSocialAccounts: 0, teamMembers: 0, dailyMessages: 5 }

const everything = endpoint({
  summary: 'My plan, and what there is',
  answers: {
    200: {
      success: true,
      currentPlan: exampleCurrent,
      limits: exampleLimits,
      features: ['5 messages a day'],
      support: 'email',
      availablePlans: [{ type: 'pro', name: 'Pro', features: ['1,000 messages a day'], price: 9.99 }],
      availableAutomationAddons: [],
      availableAgencyAddons: [],
    },
  },
  failures: [401, 429],
})

const current = endpoint({
  summary: 'My plan',
  answers: {
    200: {
      success: true,
      currentPlan: exampleCurrent,
      plan: exampleCurrent,
      limits: exampleLimits,
      features: ['5 messages a day'],
    },
  },
  failures: [401, 429],
})
