/** Why a model stopped. `unknown` is what a provider said that no other word fits. */
export type FinishReason = 'stop' | 'length' | 'filtered' | 'unknown'

/** Tokens of one run, as the provider counted them. `inputTokens` includes `cachedInputTokens`. */
export interface Usage {
  inputTokens: number
  outputTokens: number
  cachedInputTokens: number
}

/**
 * One thing a provider said. `usage` may come more than once: the last one counts. `finish` comes at most once and is
 * the last part; a stream that ends without it was cut by the provider.
 */
export type ModelPart =
  | { type: 'text'; text: string }
  | { type: 'reasoning'; text: string }
  | { type: 'usage'; usage: Usage }
  | { type: 'finish'; reason: FinishReason }

export interface ModelMessage {
  role: 'user' | 'assistant'
  content: string
}

/**
 * What is asked of a model. `model` is the provider's own name for it; `apiKey` overrides the operator's key, `baseUrl`
 * its address (one that an account entered: addresses inside the operator's network are refused). Messages without
 * any content are left out, everything else reaches the provider unchanged.
 */
export interface ModelRequest {
  model: string
  system?: string
  messages: readonly ModelMessage[]
  temperature: number
  topK: number
  topP: number
  maxOutputTokens: number
  apiKey?: string
  baseUrl?: string
}

/**
 * One provider. `stream` yields the parts of each network read together (so that a burst costs one step), and ends
 * after the provider's last byte. It makes ONE attempt: retries, deadlines and fallbacks are the caller's.
 *
 * Throws AppError: `upstream` (PROVIDER_ERROR: 5xx, connection; PROVIDER_RATE_LIMITED with retryAfterSeconds: 429;
 * PROVIDER_BAD_RESPONSE: garbage; PROVIDER_CUT: the connection broke), `unprocessable` (PROVIDER_REFUSED: other 4xx,
 * CONTEXT_TOO_LONG, CONTENT_FILTERED), `unavailable` (PROVIDER_KEY_REFUSED: 401/403; PROVIDER_OUT_OF_CREDIT: 402).
 * Aborting `signal` closes the connection at once and throws the signal's reason.
 */
export interface ModelAdapter {
  readonly provider: string
  stream(request: ModelRequest, options: { signal: AbortSignal }): AsyncIterable<readonly ModelPart[]>
}

/** One model that accounts may name. Prices are micro-credits per 1,000 tokens; sizes are tokens. */
export interface CatalogueModel {
  /** The name in our API, unique: `provider/name`, e.g. `gemini/gemini-2.5-flash`. */
  id: string
  provider: string
  /** The provider's own name for it. */
  name: string
  label: string
  contextTokens: number
  maxOutputTokens: number
  inputPriceMicroCredits: number
  outputPriceMicroCredits: number
}

/** Providers that answer with a person's own key although the operator has none for them. */
export interface OwnKeys {
  ownKeysFor?: readonly string[]
  /** Models that only the account knows of, by id: those of a server of its own. */
  ownModels?: readonly string[]
}

/** Providers that a person may bring a key for; `custom` is any server that speaks OpenAI's chat completions. */
export const ownKeyProviders = [
  'openai',
  'gemini',
  'anthropic',
  'openrouter',
  'perplexity',
  'custom',
] as const
export type OwnKeyProvider = (typeof ownKeyProviders)[number]

/** The one text for every base URL that is not let through: why must not tell what is inside the operator's network. */
export const baseUrlRule = 'must be the https address of a model provider on the internet'

/** A person's own key, to be tried. */
export interface Trial {
  provider: OwnKeyProvider
  apiKey: string
  baseUrl?: string
  /** The provider's name of a model to ask; a cheap one, or the first that the server lists, when absent. */
  model?: string
}

/** How a trial went. `unexpected`: something answers there, but not as such a provider does. */
export interface TrialResult {
  verdict: 'works' | 'refused' | 'out-of-credit' | 'limited' | 'unreachable' | 'unexpected'
  /** What a `custom` server says that it offers, at most a hundred names; empty for the others. */
  models: readonly string[]
}

/** Every provider that is configured, and the models they offer. */
export interface Models {
  list(options?: OwnKeys): readonly CatalogueModel[]
  /** The model that answers when none is named. */
  readonly defaultModel: CatalogueModel
  /** A model by its id, its provider's name for it, or (ALLOW_ANY_MODEL) any `provider/name`. Throws UNKNOWN_MODEL (400, field `model`). */
  find(id: string, options?: OwnKeys): CatalogueModel
  /** The adapter of a model's provider. It carries the operator's key, if there is one. */
  adapterOf(model: CatalogueModel): ModelAdapter
  /** Whether the operator's own account answers for a model. */
  offers(model: CatalogueModel): boolean
  /** A base URL that an account enters, as it is kept. Throws AppError invalid (field `baseUrl`) with one text. */
  admitBaseUrl(text: string): Promise<string>
  /** Asks a provider for one short answer; never throws for what the provider does. */
  tryKey(trial: Trial, signal: AbortSignal): Promise<TrialResult>
  close(): Promise<void>
}
