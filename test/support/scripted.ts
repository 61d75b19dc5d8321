import { type ScriptedProvider, startProvider } from '../provider/index.ts'
import { startApp, type TestApp } from './app.ts'

/** The product in this process, whose default model says what the provider beside it is told to say; they end together. */
export async function startScripted(
  env: Record<string, string> = {},
): Promise<{ server: TestApp; provider: ScriptedProvider }> {
  const provider = await startProvider()
  const server = await startApp({
    OPENAI_API_KEY: 'a-key-of-nobody',
    OPENAI_BASE_URL: provider.baseUrls.openai,
    DEFAULT_MODEL: 'openai/ok',
    ALLOW_ANY_MODEL: 'true',
    ...env,
  })
  const end = async () => {
    await server[Symbol.asyncDispose]()
    await provider.close()
  }
  return { provider, server: { ...server, [Symbol.asyncDispose]: end } }
}
