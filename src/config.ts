import { readFileSync } from 'node:fs'
import { isIP } from 'node:net'

/** What the process is told from outside, checked once at start. The only reader of the environment. */
export type Config = ReturnType<typeof loadConfig>

type Environment = Readonly<Record<string, string | undefined>>

/** Names that the published READMEs use for the same settings. The first one set wins. */
const aliases: Record<string, readonly string[]> = {
  PORT: ['APP_PORT'],
  JWT_SECRET: ['TOKEN_SECRET'],
  REDIS_URL: ['REDIS_ENDPOINT'],
  PUBLIC_URL: ['APP_URL'],
}

/** A setting that cannot be used; the message names the variable and what it should be. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
}

/** Reads and checks the whole environment. Throws ConfigError on the first wrong value. */
export function loadConfig(env: Environment) {
  const read = reader(env)
  const isProduction =
    read.oneOf('NODE_ENV', ['development', 'production', 'test'], 'development') === 'production'
  const port = read.integer('PORT', 3000, { min: 0, max: 65_535 })
  const config = {
    isProduction,
    port,
    host: read.text('HOST') ?? (isProduction ? '0.0.0.0' : '127.0.0.1'),
    publicUrl: read.url('PUBLIC_URL'),
    dataDir: read.text('DATA_DIR') ?? './.atelier',
    logLevel: read.oneOf('LOG_LEVEL', ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'], 'info'),
    databaseUrl: read.url('DATABASE_URL', ['postgres:', 'postgresql:']) ?? databaseUrlFromParts(read),
    redisUrl: read.url('REDIS_URL', ['redis:', 'rediss:']) ?? redisUrlFromParts(read),
    jwtSecret: read.secret('JWT_SECRET'),
    /** Retired values of JWT_SECRET whose access tokens are still believed, while keys are being rotated. */
    retiredJwtSecrets: read.secrets('JWT_RETIRED_SECRETS'),
    /** Seals people's provider keys; one is made and kept when it is absent. */
    encryptionKey: read.secret('ENCRYPTION_KEY'),
    /** Retired values of ENCRYPTION_KEY, under which some keys may still be sealed. */
    retiredEncryptionKeys: read.secrets('ENCRYPTION_RETIRED_KEYS'),
    /** New provider keys that an account may add in an hour. */
    keysPerHour: read.integer('KEY_LIMIT_PER_HOUR', 10, { min: 1 }),
    /** Lets the base URLs of people's own keys lead into the operator's network. */
    allowPrivateAddresses: read.flag('ALLOW_PRIVATE_ADDRESSES'),
    /** How long an access token is good. */
    accessLifetimeSeconds: read.duration('JWT_EXPIRES_IN', 15 * 60, { min: 30, max: 400 * 86_400 }),
    /** The same for clients that know one token and cannot renew it: those of the published APIs. */
    singleTokenLifetimeSeconds: read.duration('JWT_EXPIRES_IN', 7 * 86_400, { min: 30, max: 400 * 86_400 }),
    /** What the chat history of Secret Echo is: the published array, or the object that its front end reads. */
    secretEchoHistory: read.oneOf('SECRET_ECHO_HISTORY', ['array', 'object'], 'array'),
    /** Whether an address must be proven by a code before its account can be used. */
    signupVerification: read.oneOf(
      'SIGNUP_VERIFICATION',
      ['required', 'optional'],
      isProduction || read.text('SMTP_HOST') !== undefined ? 'required' : 'optional',
    ),
    signInLimits: signInLimits(read, isProduction),
    models: modelSettings(read),
    previews: previewSettings(read, read.url('PUBLIC_URL') ?? `http://localhost:${port}`),
    s3: s3Settings(read),
    plans: planSettings(read),
    stripe: stripeSettings(read),
    smtp: {
      host: read.text('SMTP_HOST'),
      port: read.integer('SMTP_PORT', 587, { min: 1, max: 65_535 }),
      user: read.text('SMTP_USER'),
      password: read.text('SMTP_PASS'),
      from: read.text('SMTP_FROM') ?? 'Atelier <atelier@localhost>',
    },
    smsWebhookUrl: read.url('SMS_WEBHOOK_URL'),
    otpEcho: read.flag('OTP_ECHO'),
    corsOrigins: read.origins('CORS_ORIGINS'),
    trustProxy: read.proxies('TRUST_PROXY'),
    rateLimit: {
      windowMs: read.integer('RATE_LIMIT_WINDOW_MS', 60_000, { min: 1000 }),
      maxRequests: read.integer('RATE_LIMIT_MAX_REQUESTS', 600, { min: 1 }),
    },
    /** Whether queued work is done inside the server, or apart by `npm run worker`. */
    worker: read.oneOf('WORKER', ['inside', 'apart'], 'inside'),
    workerConcurrency: read.integer('WORKER_CONCURRENCY', 5, { min: 1, max: 1000 }),
    /** How long a content job waits before it begins, unless it says so itself. */
    contentDelayMs: read.integer('CONTENT_DELAY_MS', 0, { min: 0, max: 86_400_000 }),
    providerJobsPerMinute: read.integer('PROVIDER_JOBS_PER_MINUTE', 10, { min: 1 }),
  }
  if (isProduction) refuseInProduction(config)
  return config
}

/** How often people may try to get in. */
function signInLimits(read: Reader, isProduction: boolean) {
  return {
    loginsPerHour: read.integer('LOGIN_LIMIT_PER_HOUR', 10, { min: 1 }),
    loginsPerNetworkPerHour: read.integer('LOGIN_LIMIT_PER_NETWORK_PER_HOUR', 100, { min: 1 }),
    codesPerHour: read.integer('CODE_LIMIT_PER_HOUR', 5, { min: 1 }),
    codesPerNetworkPerHour: read.integer('CODE_LIMIT_PER_NETWORK_PER_HOUR', 100, { min: 1 }),
    signupsPerHour: read.integer('SIGNUP_LIMIT_PER_HOUR', isProduction ? 200 : 2000, { min: 1 }),
  }
}

/** What plans allow, and what a new account is given. */
function planSettings(read: Reader) {
  return {
    basicDailyMessages: read.integer('BASIC_DAILY_MESSAGE_LIMIT', 5, { min: 0, max: 1_000_000_000 }),
    proDailyMessages: read.integer('PRO_DAILY_MESSAGE_LIMIT', 1000, { min: 0, max: 1_000_000_000 }),
    signupCredits: read.integer('SIGNUP_CREDITS', 20, { min: 0, max: 1_000_000_000 }),
    proPriceId: read.text('STRIPE_PRICE_ID'),
    /** More plans; what they must be like is for who sells them to say. */
    file: read.jsonFile('PLANS_FILE'),
  }
}

/** Stripe; without a key there are sandbox payments, and in production none. */
function stripeSettings(read: Reader) {
  const secretKey = read.text('STRIPE_SECRET_KEY')
  const webhookSecret = read.text('STRIPE_WEBHOOK_SECRET')
  for (const [name, value] of Object.entries({
    STRIPE_SECRET_KEY: secretKey,
    STRIPE_WEBHOOK_SECRET: webhookSecret,
  }))
    if (value !== undefined && (value.length < 8 || /^(undefined|null)$/i.test(value)))
      throw new ConfigError(`${name} must be what Stripe shows, of at least 8 characters`)
  if (secretKey && !webhookSecret)
    throw new ConfigError(
      'STRIPE_WEBHOOK_SECRET must be set with STRIPE_SECRET_KEY: it proves what Stripe tells',
    )
  return { secretKey, webhookSecret, apiBase: read.url('STRIPE_API_BASE') }
}

/** Where previews of code are served, and where they get packages that are not built in. */
function previewSettings(read: Reader, publicUrl: string) {
  const origin = read.origin('PREVIEW_ORIGIN')
  const own = new URL(publicUrl)
  if (origin !== undefined && origin === own.origin)
    throw new ConfigError('PREVIEW_ORIGIN must be another origin than that of PUBLIC_URL, or be left out')
  if (origin?.startsWith('http:') && own.protocol === 'https:')
    throw new ConfigError(
      'PREVIEW_ORIGIN must begin with https:// as PUBLIC_URL does: browsers show no other frames',
    )
  return { origin, cdn: read.origin('ARTIFACTS_CDN') }
}

/** The bucket that keeps files in place of DATA_DIR; undefined without one. */
function s3Settings(read: Reader) {
  const bucket = read.text('S3_BUCKET_NAME')
  const accessKeyId = read.text('AWS_ACCESS_KEY_ID')
  const secretAccessKey = read.text('AWS_SECRET_ACCESS_KEY')
  const region = read.text('AWS_REGION') ?? 'us-east-1'
  const endpoint = read.url('S3_ENDPOINT')
  const prefix = read.text('S3_CODE_PREFIX')
  if (!bucket) return undefined
  if (!/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(bucket))
    throw new ConfigError(`S3_BUCKET_NAME must be the name of a bucket, not "${bucket}"`)
  if (prefix !== undefined && !/^\/?(?:[A-Za-z0-9_-][A-Za-z0-9._-]*\/?)+$/.test(prefix))
    throw new ConfigError(`S3_CODE_PREFIX must be like a folder's path, such as code/, not "${prefix}"`)
  if ((accessKeyId === undefined) !== (secretAccessKey === undefined))
    throw new ConfigError('AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY must be set together, or neither')
  const credentials = accessKeyId && secretAccessKey ? { accessKeyId, secretAccessKey } : undefined
  return { bucket, region, endpoint, prefix, credentials }
}

function modelSettings(read: Reader) {
  return {
    gemini: {
      apiKey: read.text('GEMINI_API_KEY'),
      baseUrl: read.url('GEMINI_BASE_URL') ?? 'https://generativelanguage.googleapis.com',
      model: read.text('GEMINI_MODEL'),
    },
    openrouter: {
      apiKey: read.text('OPENROUTER_API_KEY'),
      baseUrl: read.url('OPENROUTER_BASE_URL') ?? 'https://openrouter.ai/api/v1',
      model: read.text('OPENROUTER_MODEL'),
    },
    openai: {
      apiKey: read.text('OPENAI_API_KEY'),
      baseUrl: read.url('OPENAI_BASE_URL') ?? 'https://api.openai.com/v1',
      model: read.text('OPENAI_MODEL'),
    },
    anthropic: {
      apiKey: read.text('ANTHROPIC_API_KEY'),
      baseUrl: read.url('ANTHROPIC_BASE_URL') ?? 'https://api.anthropic.com',
      model: read.text('ANTHROPIC_MODEL'),
    },
    defaultModel: read.text('DEFAULT_MODEL'),
    allowAnyModel: read.flag('ALLOW_ANY_MODEL'),
    /** Milliseconds between the sandbox model's words; 0 writes as fast as it is read. */
    sandboxDelayMs: read.integer('SANDBOX_DELAY_MS', 18, { min: 0, max: 10_000 }),
    firstTokenTimeoutMs: read.integer('MODEL_FIRST_TOKEN_TIMEOUT_MS', 60_000, { min: 100 }),
    silenceTimeoutMs: read.integer('MODEL_SILENCE_TIMEOUT_MS', 60_000, { min: 100 }),
    totalTimeoutMs: read.integer('MODEL_TOTAL_TIMEOUT_MS', 600_000, { min: 100 }),
  }
}

function refuseInProduction(config: Config): void {
  if (!config.jwtSecret)
    throw new ConfigError('JWT_SECRET must be set in production: at least 32 random characters')
  if (!config.encryptionKey)
    throw new ConfigError('ENCRYPTION_KEY must be set in production: at least 32 random characters')
  if (!config.publicUrl)
    throw new ConfigError('PUBLIC_URL must be set in production: the address that people open')
  if (config.otpEcho)
    throw new ConfigError('OTP_ECHO must not be set in production: it puts one-time codes into answers')
}

/** The published READMEs' DB_HOST, DB_PORT, … as one URL. */
function databaseUrlFromParts(read: Reader): string | undefined {
  const host = read.text('DB_HOST')
  if (!host) return undefined
  const user = encodeURIComponent(read.text('DB_USER') ?? 'postgres')
  const password = encodeURIComponent(read.text('DB_PASSWORD') ?? '')
  return `postgres://${user}:${password}@${host}:${read.integer('DB_PORT', 5432, { min: 1, max: 65_535 })}/${read.text('DB_NAME') ?? 'atelier'}`
}

/** The published READMEs' REDIS_HOST or REDIS_CLOUD_HOST, … as one URL. */
function redisUrlFromParts(read: Reader): string | undefined {
  const host = read.text('REDIS_HOST') ?? read.text('REDIS_CLOUD_HOST')
  if (!host) return undefined
  const password = read.text('REDIS_PASSWORD') ?? read.text('REDIS_CLOUD_PASSWORD')
  const login = password ? `:${encodeURIComponent(password)}@` : ''
  const port = read.text('REDIS_PORT') ?? read.text('REDIS_CLOUD_PORT') ?? '6379'
  return `redis://${login}${host}:${port}`
}

type Reader = ReturnType<typeof reader>

function reader(env: Environment) {
  function text(name: string): string | undefined {
    for (const key of [name, ...(aliases[name] ?? [])]) {
      const value = env[key]?.trim()
      if (value) return value
    }
    return undefined
  }
  function integer(name: string, fallback: number, range: { min?: number; max?: number } = {}): number {
    const value = text(name)
    if (value === undefined) return fallback
    const { min = Number.MIN_SAFE_INTEGER, max = Number.MAX_SAFE_INTEGER } = range
    const number = Number(value)
    if (!Number.isSafeInteger(number) || number < min || number > max) {
      throw new ConfigError(`${name} must be a whole number${rangeText(min, max)}, not "${value}"`)
    }
    return number
  }
  /** A number of seconds, or a text such as 15m, 24h or 7d; in seconds. */
  function duration(name: string, fallback: number, range: { min: number; max: number }): number {
    const value = text(name)
    if (value === undefined) return fallback
    const [, amount, unit = 's'] = /^(\d{1,9})\s*([smhd])?$/.exec(value) ?? []
    const seconds = Number(amount) * ({ s: 1, m: 60, h: 3600, d: 86_400 }[unit] ?? Number.NaN)
    if (!(seconds >= range.min && seconds <= range.max)) {
      throw new ConfigError(`${name} must be a duration such as 900, 15m, 24h or 7d, not "${value}"`)
    }
    return seconds
  }
  function oneOf<const T extends string>(name: string, allowed: readonly T[], fallback: T): T {
    const value = text(name)
    if (value === undefined) return fallback
    const found = allowed.find(option => option === value)
    if (!found) throw new ConfigError(`${name} must be one of ${allowed.join(', ')}, not "${value}"`)
    return found
  }
  function flag(name: string): boolean {
    return oneOf(name, ['true', 'false', '1', '0'], 'false').match(/^(true|1)$/) !== null
  }
  function url(name: string, protocols: readonly string[] = ['http:', 'https:']): string | undefined {
    const value = text(name)
    if (value === undefined) return undefined
    // A URL of Postgres may leave out its host (a socket), which URL does not read.
    const readable = value.replace(/^(postgres(?:ql)?:\/\/(?:[^@/]*@)?)\//, '$1localhost/')
    if (!URL.canParse(readable) || !protocols.includes(new URL(readable).protocol)) {
      throw new ConfigError(
        `${name} must be a URL that starts with ${protocols.map(p => `${p}//`).join(' or ')}`,
      )
    }
    return value.replace(/\/+$/, '')
  }
  /** What a file of JSON holds. */
  function jsonFile(name: string): { path: string; content: unknown } | undefined {
    const path = text(name)
    if (path === undefined) return undefined
    try {
      return { path, content: JSON.parse(readFileSync(path, 'utf8')) }
    } catch (error) {
      const isAbsent = (error as NodeJS.ErrnoException).code === 'ENOENT'
      const why = isAbsent ? 'there is none' : (error as Error).message
      throw new ConfigError(`${name} must be the path of a file of JSON, not "${path}": ${why}`)
    }
  }
  function secret(name: string): string | undefined {
    const value = text(name)
    if (value !== undefined && value.length < 32)
      throw new ConfigError(`${name} must be at least 32 characters long`)
    return value
  }
  function secrets(name: string): string[] {
    const values = list(name)
    if (values.some(value => value.length < 32))
      throw new ConfigError(`${name} must hold values of at least 32 characters each, separated by commas`)
    return values
  }
  function origins(name: string): string[] {
    const values = list(name)
    const wrong = values.find(value => !URL.canParse(value) || new URL(value).origin !== value)
    if (wrong !== undefined)
      throw new ConfigError(`${name} must be origins such as https://app.example, not "${wrong}"`)
    return values
  }
  function origin(name: string): string | undefined {
    const value = text(name)?.replace(/\/$/, '')
    const isOrigin = value !== undefined && URL.canParse(value) && new URL(value).origin === value
    if (value !== undefined && !(isOrigin && /^https?:/.test(value)))
      throw new ConfigError(`${name} must be an origin such as https://previews.example, not "${value}"`)
    return value
  }
  function proxies(name: string): string | undefined {
    const value = text(name)
    const isKnown = (part: string) =>
      /^\d{1,2}$/.test(part) ||
      isIP(part.split('/')[0] ?? '') !== 0 ||
      ['true', 'false', 'loopback'].includes(part)
    if (value !== undefined && !value.split(',').every(part => isKnown(part.trim())))
      throw new ConfigError(`${name} must be a number of proxies, or their addresses, not "${value}"`)
    return value
  }
  function list(name: string): string[] {
    return (text(name) ?? '')
      .split(',')
      .map(part => part.trim())
      .filter(Boolean)
  }
  return {
    text,
    integer,
    duration,
    oneOf,
    flag,
    url,
    jsonFile,
    secret,
    secrets,
    origin,
    origins,
    proxies,
    list,
  }
}

function rangeText(min: number, max: number): string {
  if (max === Number.MAX_SAFE_INTEGER) return min === Number.MIN_SAFE_INTEGER ? '' : ` of at least ${min}`
  return ` from ${min} to ${max}`
}
