import { type Algorithm, hash, parseOptions, verify } from '@node-rs/argon2'
import { AppError, invalidField } from '../../lib/errors.ts'
import { isCommonPassword } from './common-passwords.ts'
import type { Attempt } from './limits.ts'

/** What a new password must satisfy. Our own API asks for 8; the published APIs bring their own. */
export interface PasswordPolicy {
  minLength: number
  refuseCommon: boolean
  /** Asks for a lower-case and an upper-case letter, a digit and one of `@$!%*?&`. */
  needsEveryKind?: boolean
}

export interface PasswordCost {
  /** Kilobytes of memory for one hash. */
  memoryCost: number
  timeCost: number
}

const maxLength = 1000
const argon2id: Algorithm.Argon2id = 2

export type Passwords = ReturnType<typeof createPasswords>

/** Hashes and checks passwords with argon2id off the event loop, a few at a time; throws 503 BUSY when too many wait. */
export function createPasswords(
  options: { cost?: PasswordCost; concurrency?: number; maxWaiting?: number } = {},
) {
  const cost = { algorithm: argon2id, ...(options.cost ?? { memoryCost: 19_456, timeCost: 2 }) }
  const run = createGate(options.concurrency ?? 2, options.maxWaiting ?? 500)
  const nobody = hash('a password that nobody has', cost)

  return {
    /** The PHC text to keep. */
    hash: (password: string) => run(() => hash(normalise(password), cost)),
    /** Whether the kept hash has today's cost. */
    isCurrent(kept: string): boolean {
      const { memoryCost, timeCost } = parseOptions(kept)
      return memoryCost === cost.memoryCost && timeCost === cost.timeCost
    },
    /**
     * Whether it is the password; costs the same when there is none to compare with. An attempt is counted when its turn
     * comes, and what it throws passes through.
     */
    async matches(password: string, kept: string | null, attempt?: Attempt): Promise<boolean> {
      const compared = kept ?? (await nobody)
      return run(async () => {
        await attempt?.begin()
        const isMatch = (await verify(compared, normalise(password))) && kept !== null
        if (isMatch) await attempt?.takeBack()
        return isMatch
      })
    },
  }
}

/** Refuses a new password that is too short, too long or (where the policy says so) among the commonest. */
export function checkNewPassword(password: string, policy: PasswordPolicy, field = 'password'): void {
  const length = [...password.normalize('NFC')].length
  if (length < policy.minLength)
    throw invalidField(field, `must be at least ${policy.minLength} characters long`)
  if (password.length > maxLength) throw invalidField(field, `must be at most ${maxLength} characters long`)
  if (policy.needsEveryKind && ![/[a-z]/, /[A-Z]/, /[0-9]/, /[@$!%*?&]/].every(kind => kind.test(password)))
    throw invalidField(field, 'must have a lower-case and an upper-case letter, a digit and one of @$!%*?&')
  if (policy.refuseCommon && isCommonPassword(password)) {
    throw invalidField(field, 'is one of the commonest passwords; choose another one')
  }
}

/** One text in one form, however the keyboard composed it; nothing is trimmed. */
function normalise(password: string): string {
  return password.normalize('NFC')
}

/** Lets `concurrency` tasks run, the rest wait in line; refuses when the line is full. */
function createGate(concurrency: number, maxWaiting: number) {
  const waiting: (() => void)[] = []
  let running = 0
  return async <Result>(task: () => Promise<Result>): Promise<Result> => {
    if (running >= concurrency) {
      if (waiting.length >= maxWaiting) {
        throw new AppError('unavailable', 'BUSY', 'Too many sign-ins at once. Please try again.', {
          retryAfterSeconds: 2,
        })
      }
      await new Promise<void>(resolve => waiting.push(resolve))
    } else running++
    try {
      return await task()
    } finally {
      const next = waiting.shift()
      if (next) next()
      else running--
    }
  }
}
