import { createApp } from '../app.ts'
import { type Config, ConfigError } from '../config.ts'
import { createQuietLogger } from './logger.ts'

/** `admin grant EMAIL` makes an account an administrator, `admin revoke EMAIL` takes it back. */
export async function admin(config: Config, args: string[]): Promise<void> {
  const [action, email] = args
  if ((action !== 'grant' && action !== 'revoke') || !email) {
    throw new ConfigError('Usage: npm run admin -- grant EMAIL | revoke EMAIL')
  }
  const logger = createQuietLogger()
  const app = await createApp({ config, logger, built: Promise.resolve(null) })
  try {
    await app.accounts.setRole(email, action === 'grant' ? 'admin' : 'user')
    process.stdout.write(
      `${email} is ${action === 'grant' ? 'now an administrator' : 'no longer an administrator'}\n`,
    )
  } finally {
    await app.close()
  }
}
