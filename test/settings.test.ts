import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { ConfigError, loadConfig } from '../src/config.ts'

const root = join(import.meta.dirname, '..')
const read = (path: string) => readFileSync(join(root, path), 'utf8')

/** Names that config.ts asks for, the aliases among them. */
function namesInConfig(): string[] {
  const text = read('src/config.ts')
  const asked = [...text.matchAll(/read\.\w+\(\s*'([A-Z][A-Z0-9_]+)'/g)].map(match => match[1] ?? '')
  const aliases = [...text.matchAll(/^ {2}[A-Z_]+: \[(.*)\],$/gm)].flatMap(match =>
    [...(match[1] ?? '').matchAll(/'([A-Z_]+)'/g)].map(name => name[1] ?? ''),
  )
  return [...new Set([...asked, ...aliases])]
}

describe('settings', () => {
  test('.env.example names every setting that is read, and no other', () => {
    const example = read('.env.example')
    const missing = namesInConfig().filter(name => !new RegExp(`\\b${name}\\b`).test(example))
    expect(missing).toEqual([])
    const offered = [...example.matchAll(/^#([A-Z][A-Z0-9_]+)=/gm)].map(match => match[1] ?? '')
    const known = new Set(namesInConfig())
    expect(offered.filter(name => !known.has(name))).toEqual([])
  })

  test('an empty environment is enough', () => {
    expect(loadConfig({})).toMatchObject({
      port: 3000,
      host: '127.0.0.1',
      dataDir: './.atelier',
      isProduction: false,
    })
  })

  test.each([
    ['PORT', 'abc', /PORT must be a whole number from 0 to 65535, not "abc"/],
    ['PORT', '70000', /PORT/],
    ['DATABASE_URL', 'mysql://x', /DATABASE_URL must be a URL that starts with postgres/],
    ['REDIS_URL', 'nonsense', /REDIS_URL/],
    ['JWT_SECRET', 'short', /JWT_SECRET must be at least 32 characters long/],
    ['JWT_RETIRED_SECRETS', `${'x'.repeat(32)},short`, /JWT_RETIRED_SECRETS must hold values of at least 32/],
    ['ENCRYPTION_KEY', 'short', /ENCRYPTION_KEY must be at least 32 characters long/],
    ['ENCRYPTION_RETIRED_KEYS', 'short', /ENCRYPTION_RETIRED_KEYS must hold values of at least 32/],
    ['ALLOW_PRIVATE_ADDRESSES', 'perhaps', /ALLOW_PRIVATE_ADDRESSES/],
    ['TRUST_PROXY', 'perhaps', /TRUST_PROXY must be a number of proxies/],
    ['CORS_ORIGINS', 'foo', /CORS_ORIGINS must be origins/],
    ['CORS_ORIGINS', 'https://a.example/path', /CORS_ORIGINS/],
    ['LOG_LEVEL', 'loud', /LOG_LEVEL must be one of/],
    ['OTP_ECHO', 'perhaps', /OTP_ECHO/],
    ['JWT_EXPIRES_IN', 'soon', /JWT_EXPIRES_IN/],
    ['WORKER', 'outside', /WORKER must be one of inside, apart/],
    ['GEMINI_BASE_URL', 'ftp://x', /GEMINI_BASE_URL/],
    ['S3_BUCKET_NAME', 'No/Bucket', /S3_BUCKET_NAME must be the name of a bucket/],
    ['PREVIEW_ORIGIN', 'https://previews.example/path', /PREVIEW_ORIGIN must be an origin such as/],
    ['PREVIEW_ORIGIN', 'http://localhost:3000', /PREVIEW_ORIGIN must be another origin/],
    ['ARTIFACTS_CDN', 'esm.sh', /ARTIFACTS_CDN must be an origin such as/],
    ['ARTIFACTS_CDN', 'file:///x', /ARTIFACTS_CDN must be an origin/],
    ['S3_ENDPOINT', 'minio', /S3_ENDPOINT must be a URL/],
  ])('%s=%s stops the start with a line that names it', (name, value, line) => {
    expect(() => loadConfig({ [name]: value })).toThrow(ConfigError)
    expect(() => loadConfig({ [name]: value })).toThrow(line)
  })

  test('production wants its secrets, and no echo of codes', () => {
    const safe = {
      NODE_ENV: 'production',
      JWT_SECRET: 'x'.repeat(32),
      ENCRYPTION_KEY: 'z'.repeat(32),
      PUBLIC_URL: 'https://a.example',
    }
    expect(loadConfig(safe)).toMatchObject({
      isProduction: true,
      signupVerification: 'required',
      host: '0.0.0.0',
    })
    expect(() => loadConfig({ ...safe, JWT_SECRET: '' })).toThrow(/JWT_SECRET/)
    expect(() => loadConfig({ ...safe, ENCRYPTION_KEY: '' })).toThrow(/ENCRYPTION_KEY/)
    expect(() => loadConfig({ ...safe, PUBLIC_URL: '' })).toThrow(/PUBLIC_URL/)
    expect(() => loadConfig({ ...safe, OTP_ECHO: 'true' })).toThrow(/OTP_ECHO/)
  })

  test("the published READMEs' names are understood", () => {
    const config = loadConfig({
      APP_PORT: '4000',
      TOKEN_SECRET: 'y'.repeat(40),
      DB_HOST: 'db',
      DB_USER: 'me',
      DB_PASSWORD: 'p@ss',
      DB_NAME: 'shop',
      REDIS_HOST: 'cache',
      REDIS_PASSWORD: 'q',
    })
    expect(config).toMatchObject({
      port: 4000,
      jwtSecret: 'y'.repeat(40),
      databaseUrl: 'postgres://me:p%40ss@db:5432/shop',
      redisUrl: 'redis://:q@cache:6379',
    })
  })
})
