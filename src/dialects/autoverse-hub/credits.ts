import Type from 'typebox'
import { microCreditsPerCredit } from '../../features/billing/index.ts'
import { AppError, invalidField } from '../../lib/errors.ts'
import type { Server } from '../../transport/server.ts'
import { autoverseHub } from '../dialects.ts'
import type { DialectParts } from '../parts.ts'
import { speak } from '../speech.ts'
import { toCredits } from '../user.ts'
import { buyPackage } from './orders.ts'

const endpoint = speak(autoverseHub)

/** What the published operations cost, in credits; asking a model costs what it uses. */
const costs = { text: 1, chat: 1, content: 2, code: 2, plugin: 5 }

/** The balance and what became of it. */
export function credits(parts: DialectParts) {
  const { billing, buying } = parts
  return async (server: Server) => {
    for (const path of ['/api/credits', '/api/credits/balance']) {
      server.get(path, balance, async request => standing(parts, request.identity.accountId))
    }
    server.get('/api/credits/history', history, async request => {
      const { page, limit, type } = request.query
      const { accountId } = request.identity
      const cut = { sense: (type ?? null) as 'usage' | null, offset: (page - 1) * limit, limit }
      const { entries, total } = await buying.historyPage(accountId, cut)
      const totalPages = Math.max(1, Math.ceil(total / limit))
      return {
        success: true,
        transactions: entries.map(({ id, sense, amountMicroCredits, note, kind, createdAt }) => ({
          id,
          type: sense,
          creditsAmount: amountMicroCredits / microCreditsPerCredit,
          costInRupees: 0,
          description: note ?? descriptions[kind] ?? kind,
          createdAt: createdAt.toISOString(),
        })),
        pagination: {
          page,
          limit,
          totalCount: total,
          totalPages,
          hasNext: page < totalPages,
          hasPrev: page > 1,
        },
        source: 'ledger',
        scope: 'personal',
      }
    })
    server.post('/api/credits/purchase', purchasing, async request =>
      buyPackage(parts, request.identity.accountId, request.body),
    )
    server.get('/api/credits/check', checking, async request => {
      const { operation } = request.query
      const cost = costOf(operation)
      const available = toCredits(await billing.balance(request.identity.accountId))
      const hasCredits = available >= cost
      return {
        success: true,
        operation,
        cost,
        hasCredits,
        canAfford: hasCredits,
        creditsRemaining: available,
      }
    })
    server.get('/api/credits/costs', pricing, async () => ({ success: true, costs }))
    server.post('/api/credits/deduct', deducting, async request => {
      const { accountId } = request.identity
      const { operation, cost = costOf(operation), description } = request.body
      const note = description?.trim() || `Used for ${operation}`
      const amountMicroCredits = Math.round(cost * microCreditsPerCredit)
      const { balance: left, entryId } = await billing.spend({ accountId, amountMicroCredits, note })
      return {
        success: true,
        message: 'Credits deducted successfully',
        creditsDeducted: cost,
        creditsRemaining: toCredits(left),
        balance: toCredits(left),
        transactionId: entryId,
      }
    })
    server.post('/api/credits/add', refusing, async () => {
      throw new AppError(
        'forbidden',
        'PAYMENT_REQUIRED_FIRST',
        'Credits are added by a payment alone. Buy them at /api/credits/purchase.',
      )
    })
  }
}

const descriptions: Record<string, string> = {
  purchase: 'Credits bought',
  hold: 'Reserved for an answer',
  settle: 'An answer',
  release: 'Given back after an answer',
}

function costOf(operation: string): number {
  const cost = Object.hasOwn(costs, operation) ? costs[operation as keyof typeof costs] : undefined
  if (cost === undefined) throw invalidField('operation', `must be one of ${Object.keys(costs).join(', ')}`)
  return cost
}

async function standing({ billing }: DialectParts, accountId: string) {
  const left = toCredits(await billing.balance(accountId))
  return {
    success: true,
    balance: left,
    credits: left,
    creditsRemaining: left,
    source: 'ledger',
    scope: 'personal',
  }
}

const balance = endpoint({
  summary: 'My credits',
  answers: {
    200: {
      success: true,
      balance: 20,
      credits: 20,
      creditsRemaining: 20,
      source: 'ledger',
      scope: 'personal',
    },
  },
  failures: [401, 429],
})

const history = endpoint({
  summary: 'What became of my credits',
  description: 'The newest first. We do not charge in rupees: `costInRupees` is 0.',
  asks: {
    querystring: Type.Object({
      page: Type.Integer({ minimum: 1, maximum: 100_000, default: 1 }),
      limit: Type.Integer({ minimum: 1, maximum: 100, default: 20 }),
      type: Type.Optional(Type.Enum(['purchase', 'usage', 'refund', 'bonus'])),
    }),
  },
  answers: {
    200: {
      success: true,
      transactions: [
        {
          id: '01936b2e-9d44-7f00-8a3c-5d6e7f809105',
          type: 'bonus',
          creditsAmount: 20,
          costInRupees: 0,
          description: 'Credits to begin with',
          createdAt: '2026-11-20T09:30:00.000Z',
        },
      ],
      pagination: { page: 1, limit: 20, totalCount: 1, totalPages: 1, hasNext: false, hasPrev: false },
      source: 'ledger',
      scope: 'personal',
    },
  },
  failures: [400, 401, 429],
})

const purchasing = endpoint({
  summary: 'Buy credits',
  description:
    'A package by its id (`package`, `packageId`), or the smallest that has so many (`amount`, `credits`). In the sandbox a ' +
    'test card pays at once; elsewhere `checkoutUrl` is where to pay, and the credits come with the payment.',
  asks: {
    body: Type.Object(
      {
        package: Type.Optional(Type.String({ maxLength: 40 })),
        packageId: Type.Optional(Type.String({ maxLength: 40 })),
        amount: Type.Optional(Type.Number({ minimum: 1, maximum: 1_000_000 })),
        credits: Type.Optional(Type.Number({ minimum: 1, maximum: 1_000_000 })),
      },
      { examples: [{ package: 'small' }, { amount: 100 }] },
    ),
  },
  answers: {
    200: {
      success: true,
      message: 'Credits purchased successfully',
      creditsAdded: 500,
      creditsRemaining: 520,
      balance: 520,
      transactionId: '01936b2e-9e55-7f00-8a3c-5d6e7f809106',
      demo: true,
    },
  },
  failures: [400, 401, 403, 429, 503],
})

const checking = endpoint({
  summary: 'Do my credits suffice?',
  asks: {
    querystring: Type.Object({
      operation: Type.String({ minLength: 1, maxLength: 40, description: Object.keys(costs).join(', ') }),
    }),
  },
  answers: {
    200: {
      success: true,
      operation: 'chat',
      cost: 1,
      hasCredits: true,
      canAfford: true,
      creditsRemaining: 20,
    },
  },
  failures: [400, 401, 429],
})

const pricing = endpoint({
  summary: 'What operations cost',
  answers: { 200: { success: true, costs } },
  failures: [401, 429],
})

const deducting = endpoint({
  summary: 'Use credits',
  description: 'Only ever lowers my own balance, and never below 0.',
  asks: {
    body: Type.Object(
      {
        operation: Type.String({ minLength: 1, maxLength: 40 }),
        cost: Type.Optional(Type.Number({ minimum: 0.000_001, maximum: 1_000_000 })),
        description: Type.Optional(Type.String({ maxLength: 200 })),
      },
      { examples: [{ operation: 'chat', cost: 1, description: 'One answer' }] },
    ),
  },
  answers: {
    200: {
      success: true,
      message: 'Credits deducted successfully',
      creditsDeducted: 1,
      creditsRemaining: 19,
      balance: 19,
      transactionId: '01936b2e-8f6a-7c3d-9f7e-2a4b6c8d0e1f',
    },
  },
  failures: [400, 401, 402, 403, 429],
})

const refusing = endpoint({
  summary: 'Refused: credits come by payments',
  description: 'Always 403 PAYMENT_REQUIRED_FIRST. Administrators grant credits at /api/v1/admin.',
  answers: { 200: { success: true } },
  failures: [401, 403, 429],
})
