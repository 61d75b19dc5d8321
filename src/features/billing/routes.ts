import Type from 'typebox'
import { failures, ok, success } from '../../transport/envelope.ts'
import type { Server } from '../../transport/server.ts'
import type { Accounts } from '../accounts/index.ts'
import type { Billing } from './index.ts'
import { AccountIdParams, AdjustBody, EntitlementsView, UsageQuery, UsageView } from './schema.ts'

const tags = ['Billing']

/** What an account may do and what it has used; what administrators may change. */
export function billingRoutes(billing: Billing, accounts: Pick<Accounts, 'noteSecurityEvent'>) {
  return async (server: Server) => {
    server.get(
      '/entitlements',
      {
        schema: {
          tags,
          summary: 'Ask what may be sent before sending it',
          description: 'Limits, what is used, when it begins anew, who pays, and why nothing can be sent.',
          response: {
            200: success(Type.Object({ entitlements: EntitlementsView })),
            ...failures(401, 429),
          },
        },
      },
      async request => ok({ entitlements: await billing.entitlements(request.identity.accountId) }),
    )
    server.get(
      '/usage',
      {
        schema: {
          tags,
          summary: 'See what was used',
          description: 'A row for each day, model, kind and payer; the last 30 days unless a span is given.',
          querystring: UsageQuery,
          response: {
            200: success(
              Type.Object({ from: Type.String(), to: Type.String(), rows: Type.Array(UsageView) }),
            ),
            ...failures(400, 401, 429),
          },
        },
      },
      async request => ok(await billing.usage(request.identity.accountId, request.query)),
    )
    server.post(
      '/admin/accounts/:id/credits',
      {
        config: { auth: 'admin' },
        schema: {
          tags: ['Administration'],
          summary: "Adjust an account's credits",
          description: 'Entered in its ledger with the reason and who did it, and in its security log.',
          params: AccountIdParams,
          body: AdjustBody,
          response: {
            200: success(Type.Object({ balanceMicroCredits: Type.Integer() })),
            ...failures(400, 401, 403, 404, 409),
          },
        },
      },
      async request => {
        const { identity, params, body, ip } = request
        const balanceMicroCredits = await billing.adjust({
          ...body,
          accountId: params.id,
          actorId: identity.accountId,
          note: db =>
            accounts.noteSecurityEvent(
              {
                kind: 'credits-adjusted',
                accountId: params.id,
                actorId: identity.accountId,
                client: { ip, userAgent: request.headers['user-agent'] ?? null },
                detail: { amountMicroCredits: body.amountMicroCredits, reason: body.reason },
              },
              db,
            ),
        })
        return ok({ balanceMicroCredits })
      },
    )
  }
}
