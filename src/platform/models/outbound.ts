import { type LookupAddress, lookup } from 'node:dns'
import http from 'node:http'
import https from 'node:https'
import type { LookupFunction } from 'node:net'
import { type AppError, invalidField } from '../../lib/errors.ts'
import {
  hostOf,
  isPrivateAddress,
  looksLikeBaseUrl,
  refusedAddress,
  refuseUnfit,
} from './entered-addresses.ts'
import { baseUrlRule } from './index.ts'

const agentOptions = { keepAlive: true, maxFreeSockets: 256, timeout: 60_000, scheduling: 'lifo' } as const

/** How requests leave this process: connections are kept for the next request to the same place. */
export type Outbound = ReturnType<typeof createOutbound>

export interface OutboundOptions {
  /** Lets URLs that accounts enter lead into the operator's own network. */
  allowPrivateAddresses?: boolean
  /** Resolves names; Node's own unless told. */
  resolve?: typeof lookup
}

export interface Departure {
  /** Whether an account entered the address. */
  isGuarded: boolean
  method?: 'GET' | 'POST'
}

/**
 * `request` opens one request; redirects are never followed. With `isGuarded` (an address that an account entered) the
 * place must be fit, and outside the operator's network: the address is checked at the moment of connecting, after name
 * resolution, and refused with PROVIDER_REFUSED; `allowPrivateAddresses` lifts the latter. `admit` says so beforehand.
 */
export function createOutbound({ allowPrivateAddresses = false, resolve = lookup }: OutboundOptions = {}) {
  const publicLookup = createPublicLookup(resolve)
  const open = { http: new http.Agent(agentOptions), https: new https.Agent(agentOptions) }
  const guarded = {
    http: new http.Agent({ ...agentOptions, lookup: publicLookup }),
    https: new https.Agent({ ...agentOptions, lookup: publicLookup }),
  }

  function request(
    address: string,
    headers: http.OutgoingHttpHeaders,
    { isGuarded, method = 'POST' }: Departure,
  ): http.ClientRequest {
    if (!URL.canParse(address)) throw refusedAddress()
    const url = new URL(address)
    if (isGuarded) refuseUnfit(url, allowPrivateAddresses)
    const agents = isGuarded && !allowPrivateAddresses ? guarded : open
    const isSecure = url.protocol === 'https:'
    return (isSecure ? https : http).request({
      protocol: url.protocol,
      hostname: hostOf(url),
      port: url.port || (isSecure ? 443 : 80),
      path: url.pathname + url.search,
      method,
      headers,
      agent: isSecure ? agents.https : agents.http,
    })
  }

  /** A base URL that an account enters, as it is kept. Throws AppError invalid with one text for every reason. */
  async function admit(text: string): Promise<string> {
    try {
      if (!looksLikeBaseUrl(text)) throw refusedAddress()
      const url = new URL(text)
      refuseUnfit(url, allowPrivateAddresses)
      if (!allowPrivateAddresses) await resolvePublicly(publicLookup, hostOf(url))
      return url.href.replace(/\/+$/, '')
    } catch {
      throw refusedBaseUrl()
    }
  }

  function close(): void {
    for (const agents of [open, guarded]) {
      agents.http.destroy()
      agents.https.destroy()
    }
  }

  return { request, admit, close }
}

function refusedBaseUrl(): AppError {
  return invalidField('baseUrl', baseUrlRule)
}

function resolvePublicly(publicLookup: LookupFunction, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    publicLookup(host, { all: true }, error => (error ? reject(error) : resolve()))
  })
}

/** Resolves a name and fails unless every address of it is public, so that a second answer cannot slip in. */
function createPublicLookup(resolve: typeof lookup): LookupFunction {
  return (hostname, options, callback) => {
    resolve(hostname, { ...options, all: true }, (error, addresses: LookupAddress[]) => {
      const first = addresses?.[0]
      if (error || !first) return callback(error ?? new Error('no address'), '', 0)
      if (addresses.some(({ address }) => isPrivateAddress(address))) return callback(refusedAddress(), '', 0)
      if (options.all) return callback(null, addresses)
      callback(null, first.address, first.family)
    })
  }
}
