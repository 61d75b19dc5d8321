import type { IncomingMessage } from 'node:http'
import { AppError, toAppError } from '../../lib/errors.ts'
import { isRefusedAddress } from './entered-addresses.ts'
import type { ModelAdapter, OwnKeyProvider, Trial, TrialResult } from './index.ts'
import type { Outbound } from './outbound.ts'
import { providerError } from './provider-error.ts'

interface TrialDeps {
  adapters: ReadonlyMap<string, ModelAdapter>
  outbound: Outbound
}

/** A model of each provider that is cheap, does not think first, and has been there for long. */
const cheapModels: Record<Exclude<OwnKeyProvider, 'custom'>, string> = {
  openai: 'gpt-4o-mini',
  gemini: 'gemini-2.5-flash-lite',
  anthropic: 'claude-haiku-4-5',
  openrouter: 'google/gemini-2.5-flash',
  perplexity: 'sonar',
}

/** Asks a provider for a few tokens with a person's key, and says how that went. */
export async function tryKey(deps: TrialDeps, trial: Trial, signal: AbortSignal): Promise<TrialResult> {
  const { provider, model, baseUrl } = trial
  // An address that leads inside by now is told like one where nobody is.
  const isAdmitted = baseUrl === undefined || (await isFit(deps.outbound, baseUrl))
  if (!isAdmitted) return { verdict: 'unreachable', models: [] }
  if (provider !== 'custom') {
    return { verdict: await ask(deps, trial, { model: model ?? cheapModels[provider], signal }), models: [] }
  }
  try {
    const models = await listModels(deps.outbound, trial, signal)
    const asked = model ?? models[0]
    const verdict = asked === undefined ? 'works' : await ask(deps, trial, { model: asked, signal })
    return { verdict, models }
  } catch (error) {
    const verdict = verdictOf(error)
    // Servers that list nothing are still asked when the person knows what for.
    const isSilent = verdict === 'unexpected' && model !== undefined
    return { verdict: isSilent ? await ask(deps, trial, { model, signal }) : verdict, models: [] }
  }
}

async function isFit(outbound: Outbound, baseUrl: string): Promise<boolean> {
  return outbound.admit(baseUrl).then(
    () => true,
    () => false,
  )
}

async function ask(
  deps: TrialDeps,
  { provider, apiKey, baseUrl }: Trial,
  { model, signal }: { model: string; signal: AbortSignal },
): Promise<TrialResult['verdict']> {
  const adapter = deps.adapters.get(provider)
  if (!adapter) return 'unexpected'
  const messages = [{ role: 'user' as const, content: 'Say: ok' }]
  const request = { model, messages, temperature: 0, topK: 1, topP: 1, maxOutputTokens: 16, apiKey }
  const place = baseUrl === undefined ? {} : { baseUrl }
  try {
    for await (const parts of adapter.stream({ ...request, ...place }, { signal })) {
      if (parts.some(part => part.type !== 'usage')) return 'works'
    }
    return 'unexpected'
  } catch (error) {
    // At the provider's own address, who dislikes the question has let the key in.
    const isLetIn = baseUrl === undefined && error instanceof AppError && error.code === 'PROVIDER_REFUSED'
    return isLetIn ? 'works' : verdictOf(error)
  }
}

const verdicts: Record<string, TrialResult['verdict']> = {
  PROVIDER_KEY_REFUSED: 'refused',
  PROVIDER_OUT_OF_CREDIT: 'out-of-credit',
  PROVIDER_RATE_LIMITED: 'limited',
  PROVIDER_ERROR: 'unreachable',
  PROVIDER_CUT: 'unreachable',
  // The key was let in: it is only the question that was not liked.
  CONTENT_FILTERED: 'works',
}

function verdictOf(error: unknown): TrialResult['verdict'] {
  // It led elsewhere when it was looked at, a moment ago.
  if (isRefusedAddress(error)) return 'unreachable'
  const code = error instanceof AppError ? error.code : 'PROVIDER_ERROR'
  return verdicts[code] ?? 'unexpected'
}

const largestList = 1024 * 1024
const mostModels = 100

/** The names at `GET <baseUrl>/models`. Throws AppError as adapters do. */
async function listModels(
  outbound: Outbound,
  { apiKey, baseUrl = '' }: Trial,
  signal: AbortSignal,
): Promise<string[]> {
  const headers = { accept: 'application/json', ...(apiKey ? { authorization: `Bearer ${apiKey}` } : {}) }
  const { status, text } = await get(outbound, { url: `${baseUrl}/models`, headers, signal })
  if (status !== 200) throw providerError({ label: 'Your provider', status })
  try {
    const { data } = JSON.parse(text) as { data: { id: unknown }[] }
    const names = data.map(({ id }) => id).filter(id => typeof id === 'string')
    return names.filter(name => /^[\w.:@/+-]{1,150}$/.test(name)).slice(0, mostModels)
  } catch (cause) {
    throw new AppError('upstream', 'PROVIDER_BAD_RESPONSE', 'The list of models cannot be read', { cause })
  }
}

function get(
  outbound: Outbound,
  { url, headers, signal }: { url: string; headers: Record<string, string>; signal: AbortSignal },
): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted()
    const request = outbound.request(url, headers, { isGuarded: true, method: 'GET' })
    const stop = () => request.destroy(toAppError(signal.reason))
    signal.addEventListener('abort', stop, { once: true })
    request.on('close', () => signal.removeEventListener('abort', stop))
    request.on('error', reject)
    request.on('response', (response: IncomingMessage) => {
      let text = ''
      response.setEncoding('utf8')
      response.on('data', (chunk: string) => {
        text += chunk
        if (text.length > largestList) request.destroy(new Error('the list is too long'))
      })
      response.on('error', reject)
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text }))
    })
    request.end()
  })
}
