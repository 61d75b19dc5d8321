import { parseArgs } from 'node:util'
import { type App, createApp } from '../app.ts'
import { type Config, ConfigError } from '../config.ts'
import { newId } from '../lib/ids.ts'
import { createQuietLogger } from './logger.ts'

/** The people whom the published READMEs sign in as. */
const demoUsers = [
  { email: 'demo@example.com', username: 'demo', name: 'Demo User', password: 'demo123' },
  { email: 'test@example.com', username: 'testuser', name: 'Test User', password: 'password123' },
  { mobile: '+12345678901', name: 'Mobile User', password: 'testpass123' },
]

/**
 * Without options: makes the demo users, leaving those who exist. With `--accounts N --messages M [--json]`: makes N new
 * accounts, each signed in and with a conversation of M messages, and prints `[{token, conversationId}]`.
 */
export async function seed(config: Config, args: string[]): Promise<void> {
  if (config.isProduction)
    throw new ConfigError('seed makes accounts with known passwords; it is refused in production')
  const options = readOptions(args)
  const logger = createQuietLogger()
  const app = await createApp({ config, logger, built: Promise.resolve(null) })
  try {
    if (options.accounts === 0) await seedDemoUsers(app)
    else await seedAccounts(app, options)
  } finally {
    await app.close()
  }
}

function readOptions(args: string[]) {
  const { values } = parseArgs({
    args,
    options: {
      accounts: { type: 'string', default: '0' },
      messages: { type: 'string', default: '0' },
      json: { type: 'boolean', default: false },
    },
  })
  return {
    accounts: count('accounts', values.accounts),
    messages: count('messages', values.messages),
    json: values.json,
  }
}

function count(name: string, text: string): number {
  const number = Number(text)
  if (!Number.isSafeInteger(number) || number < 0 || number > 100_000) {
    throw new ConfigError(`--${name} must be a whole number from 0 to 100000, not "${text}"`)
  }
  return number
}

const policy = { minLength: 6, refuseCommon: false }

async function seedDemoUsers(app: App): Promise<void> {
  for (const { password, ...who } of demoUsers) {
    const login = who.email ?? who.mobile
    try {
      await app.accounts.signUp({ ...who, password, policy, verification: 'optional' }, clientAt(0))
      process.stdout.write(`made ${login} with password ${password}\n`)
    } catch (error) {
      if ((error as { kind?: string }).kind !== 'conflict') throw error
      process.stdout.write(`${login} is there already\n`)
    }
  }
}

async function seedAccounts(app: App, options: ReturnType<typeof readOptions>): Promise<void> {
  const run = newId().slice(-12)
  const made: { token: string; conversationId: string }[] = []
  for (let index = 0; index < options.accounts; index++) {
    const email = `seed-${run}-${index}@example.com`
    const entered = await app.accounts.signUp(
      { email, name: `Seed ${index}`, password: `seed-${run}`, policy, verification: 'optional' },
      clientAt(index),
    )
    if (!('tokens' in entered)) throw new Error('a seeded account must be active at once')
    const conversationId = await seedConversation(app, entered.account.id, options.messages)
    made.push({ token: entered.tokens.accessToken, conversationId })
  }
  const text = options.json ? JSON.stringify(made) : `made ${made.length} accounts seed-${run}-*@example.com`
  process.stdout.write(`${text}\n`)
}

async function seedConversation(app: App, accountId: string, messages: number): Promise<string> {
  const conversation = await app.conversations.create(accountId, { title: 'Seeded conversation' })
  if (messages === 0) return conversation.id
  await app.db
    .insertInto('messages')
    .values(
      Array.from({ length: messages }, (_, index) => ({
        id: newId(),
        conversation_id: conversation.id,
        account_id: accountId,
        position: index + 1,
        role: index % 2 === 0 ? ('user' as const) : ('assistant' as const),
        content:
          index % 2 === 0
            ? `Question ${index / 2 + 1}: what comes next?`
            : 'Something, and then something else.',
      })),
    )
    .execute()
  await app.db
    .updateTable('conversations')
    .set({ message_count: messages })
    .where('id', '=', conversation.id)
    .execute()
  return conversation.id
}

/** Each seeded account comes from an address of its own, so that limits per address do not apply. */
function clientAt(index: number) {
  return { ip: `127.${(index >> 16) & 255}.${(index >> 8) & 255}.${(index & 255) + 1}`, userAgent: 'seed' }
}
