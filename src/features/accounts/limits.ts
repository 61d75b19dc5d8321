import { networkOf } from '../../lib/networks.ts'
import { hashToken } from '../../lib/seal.ts'
import type { Cache, Limiter, LimitState } from '../../platform/cache/index.ts'
import { tooManyRequests } from '../../transport/limits.ts'
import type { Address } from './addresses.ts'
import type { Client } from './security-log.ts'

const minute = 60_000
const hour = 60 * minute

/** How often what may happen; a refused call is a 429 that says when to come back. */
export interface LimitSettings {
  /** Wrong passwords an hour for one address from one network. */
  loginsPerHour: number
  /** Wrong passwords an hour from one network, whatever the address. */
  loginsPerNetworkPerHour: number
  /** Wrong passwords a quarter of an hour for one address from networks where it never signed in. */
  loginsPerAddressPerQuarter: number
  codesPerHour: number
  codesPerNetworkPerHour: number
  codesPerHourInAll: number
  signupsPerHour: number
  /** Wrong refresh tokens in five minutes from one network. */
  refreshFailures: number
}

export const defaultLimits: LimitSettings = {
  loginsPerHour: 10,
  loginsPerNetworkPerHour: 100,
  loginsPerAddressPerQuarter: 25,
  codesPerHour: 5,
  codesPerNetworkPerHour: 100,
  codesPerHourInAll: 2000,
  signupsPerHour: 200,
  refreshFailures: 100,
}

/**
 * One guess. It is counted when it begins and taken back when it was right, so that parallel guesses count, and right
 * ones that happen to run together do not.
 */
export interface Attempt {
  begin(): Promise<void>
  takeBack(): Promise<void>
}

export type Limits = ReturnType<typeof createLimits>

/** The limits of signing in and up. Networks are whole IPv4 addresses and IPv6 /64s; addresses are kept as hashes only. */
export function createLimits(cache: Cache, settings: LimitSettings) {
  const limiter = (name: string, points: number, windowMs: number) =>
    cache.limiter({ name: `accounts:${name}`, points, windowMs })
  const login = {
    pair: limiter('login', settings.loginsPerHour, hour),
    network: limiter('login-network', settings.loginsPerNetworkPerHour, hour),
    address: limiter('login-address', settings.loginsPerAddressPerQuarter, 15 * minute),
  }
  const codes = {
    address: limiter('codes', settings.codesPerHour, hour),
    network: limiter('codes-network', settings.codesPerNetworkPerHour, hour),
    all: limiter('codes-all', settings.codesPerHourInAll, hour),
  }
  const signups = limiter('signups', settings.signupsPerHour, hour)
  const refreshes = limiter('refreshes', settings.refreshFailures, 5 * minute)

  return {
    /**
     * The attempts of this client to sign in to this address; throws at once when they are spent. `isKnownHere` says whether
     * the account has signed in from this network: then attacks from elsewhere do not shut it out.
     */
    async login(address: Address, client: Client, isKnownHere: () => Promise<boolean>): Promise<Attempt> {
      const network = networkOf(client.ip)
      const key = hidden(address)
      const counted: [Limiter, string][] = [
        [login.pair, `${key}@${network}`],
        [login.network, network],
      ]
      if (!(await isKnownHere())) counted.push([login.address, key])
      for (const [limit, countedKey] of counted) refuseUnlessAllowed(await limit.peek(countedKey))
      return {
        begin: () => consumeAll(counted),
        async takeBack() {
          await Promise.all(counted.map(([limit, countedKey]) => limit.giveBack(countedKey)))
        },
      }
    },
    /** Counts a code that is about to be sent. */
    async code(address: Address, client: Client): Promise<void> {
      await consumeAll([
        [codes.address, hidden(address)],
        [codes.network, networkOf(client.ip)],
        [codes.all, 'all'],
      ])
    },
    /** Counts a sign-up. */
    async signup(client: Client): Promise<void> {
      await consumeAll([[signups, networkOf(client.ip)]])
    },
    /** Counts a wrong refresh token; right ones are never refused. */
    async wrongRefresh(client: Client): Promise<void> {
      await consumeAll([[refreshes, networkOf(client.ip)]])
    },
  }
}

/** Counts in every limiter, or, when one refuses, in those before it only. */
async function consumeAll(counted: readonly [Limiter, string][]): Promise<void> {
  for (const [limit, key] of counted) {
    refuseUnlessAllowed(await limit.consume(key))
  }
}

function refuseUnlessAllowed(state: LimitState): void {
  if (!state.isAllowed) throw tooManyRequests(state)
}

function hidden(address: Address): string {
  return hashToken(`${address.channel}:${address.key}`).toString('base64url')
}
