import Type from 'typebox'
import type { Models } from '../../platform/models/index.ts'
import { failures, ok, success } from '../../transport/envelope.ts'
import type { Server } from '../../transport/server.ts'
import { type Keys, ownKeysOf } from '../keys/index.ts'

const ModelView = Type.Object({
  id: Type.String(),
  provider: Type.String(),
  label: Type.String(),
  contextTokens: Type.Integer(),
  maxOutputTokens: Type.Integer(),
  inputPriceMicroCredits: Type.Number({ description: 'Per 1,000 tokens.' }),
  outputPriceMicroCredits: Type.Number({ description: 'Per 1,000 tokens.' }),
  isDefault: Type.Boolean(),
  payer: Type.String({
    enum: ['credits', 'key'],
    description: '`key`: an active provider key of yours answers and pays; it costs no credits.',
  }),
})

/** GET /models. */
export function modelRoutes(models: Models, keys: Pick<Keys, 'active'>) {
  return async (server: Server) => {
    server.get(
      '/models',
      {
        schema: {
          tags: ['Generations'],
          summary: 'List the models that can be asked',
          description:
            'Those that this server offers, and those of the providers that you have an active key for.',
          response: { 200: success(Type.Object({ models: Type.Array(ModelView) })), ...failures(401) },
        },
      },
      async request => {
        const { defaultModel } = models
        const own = ownKeysOf(await keys.active(request.identity.accountId))
        const payerOf = (provider: string) => (own.ownKeysFor.includes(provider) ? 'key' : 'credits')
        return ok({
          models: models.list(own).map(model => ({
            ...model,
            isDefault: model.id === defaultModel.id,
            payer: payerOf(model.provider),
          })),
        })
      },
    )
  }
}
