import { createApp } from '../app.ts'
import { type Config, ConfigError } from '../config.ts'
import { createQuietLogger } from './logger.ts'

/** `keys rotate` wraps all provider keys under the current ENCRYPTION_KEY, while servers go on. */
export async function keys(config: Config, args: string[]): Promise<void> {
  if (args.length !== 1 || args[0] !== 'rotate') throw new ConfigError('Usage: npm run keys -- rotate')
  await using app = await createApp({ config, logger: createQuietLogger(), built: Promise.resolve(null) })
  const onBatch = (count: number) => process.stdout.write(`${count} keys wrapped anew so far\n`)
  const { masterKey, rewrapped, unreadable, current } = await app.keys.rotate({ onBatch })
  process.stdout.write(
    `${rewrapped} keys wrapped anew; ${current} are under master key ${masterKey} now; ${unreadable} could not be opened\n`,
  )
  if (unreadable > 0) {
    process.stderr.write('Put the missing master keys into ENCRYPTION_RETIRED_KEYS, and rotate again.\n')
    process.exitCode = 1
  }
}
