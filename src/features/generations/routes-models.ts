import Type from 'typebox'
import type { Models } from '../../platform/models/index.ts'
import { failures, ok, success } from '../../transport/envelope.ts'
import type { Server } from '../../transport/server.ts'

const ModelView = Type.Object({
  id: Type.String(),
  provider: Type.String(),
  label: Type.String(),
  contextTokens: Type.Integer(),
  maxOutputTokens: Type.Integer(),
  inputPriceMicroCredits: Type.Number({ description: 'Per 1,000 tokens.' }),
  outputPriceMicroCredits: Type.Number({ description: 'Per 1,000 tokens.' }),
  isDefault: Type.Boolean(),
})

/** GET /models. */
export function modelRoutes(models: Models) {
  return async (server: Server) => {
    server.get(
      '/models',
      {
        schema: {
          tags: ['Generations'],
          summary: 'List the models that can be asked',
          response: { 200: success(Type.Object({ models: Type.Array(ModelView) })), ...failures(401) },
        },
      },
      async () => {
        const { defaultModel } = models
        return ok({
          models: models.list().map(model => ({ ...model, isDefault: model.id === defaultModel.id })),
        })
      },
    )
  }
}
