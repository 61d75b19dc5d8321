import { type LookupAddress, lookup } from 'node:dns'
import http from 'node:http'
import https from 'node:https'
import { BlockList, isIP, type LookupFunction } from 'node:net'
import { AppError } from '../../lib/errors.ts'

const agentOptions = { keepAlive: true, maxFreeSockets: 256, timeout: 60_000, scheduling: 'lifo' } as const

/** How requests leave this process: connections are kept for the next request to the same place. */
export type Outbound = ReturnType<typeof createOutbound>

/**
 * `request` opens one POST. With `isGuarded` (an address that an account entered) the place must be outside the
 * operator's network: the address is checked at the moment of connecting, after name resolution, and refused with
 * PROVIDER_REFUSED; `allowPrivateAddresses` lifts that.
 */
export function createOutbound({ allowPrivateAddresses = false } = {}) {
  const open = { http: new http.Agent(agentOptions), https: new https.Agent(agentOptions) }
  const guarded = {
    http: new http.Agent({ ...agentOptions, lookup: publicLookup }),
    https: new https.Agent({ ...agentOptions, lookup: publicLookup }),
  }

  function request(
    address: string,
    headers: http.OutgoingHttpHeaders,
    isGuarded: boolean,
  ): http.ClientRequest {
    if (!URL.canParse(address)) throw refusedAddress()
    const url = new URL(address)
    const isChecked = isGuarded && !allowPrivateAddresses
    if (isChecked) refusePrivateHost(url)
    const agents = isChecked ? guarded : open
    const isSecure = url.protocol === 'https:'
    return (isSecure ? https : http).request({
      protocol: url.protocol,
      hostname: url.hostname.replace(/^\[|\]$/g, ''),
      port: url.port || (isSecure ? 443 : 80),
      path: url.pathname + url.search,
      method: 'POST',
      headers,
      agent: isSecure ? agents.https : agents.http,
    })
  }

  function close(): void {
    for (const agents of [open, guarded]) {
      agents.http.destroy()
      agents.https.destroy()
    }
  }

  return { request, close }
}

const privateAddresses = new BlockList()
for (const [network, prefix] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
] as const) {
  privateAddresses.addSubnet(network, prefix, 'ipv4')
}
const publicAddresses6 = new BlockList()
publicAddresses6.addSubnet('2000::', 3, 'ipv6')
const translated6 = new BlockList()
for (const [network, prefix] of [
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
] as const) {
  translated6.addSubnet(network, prefix, 'ipv6')
}

/** Whether an address belongs to this machine, a private network or a range that no provider can have. */
export function isPrivateAddress(address: string): boolean {
  const family = isIP(address)
  if (family === 4) return privateAddresses.check(address, 'ipv4')
  if (family !== 6) return true
  return !publicAddresses6.check(address, 'ipv6') || translated6.check(address, 'ipv6')
}

function refusePrivateHost(url: URL): void {
  const host = url.hostname.replace(/^\[|\]$/g, '')
  if (url.protocol !== 'https:' && url.protocol !== 'http:') throw refusedAddress()
  if (url.username || url.password) throw refusedAddress()
  if (isIP(host) !== 0 && isPrivateAddress(host)) throw refusedAddress()
}

function refusedAddress(): AppError {
  return new AppError(
    'unprocessable',
    'PROVIDER_REFUSED',
    'The base URL of this key leads to an address that is not allowed.',
  )
}

/** Resolves a name and fails unless every address of it is public, so that a second answer cannot slip in. */
const publicLookup: LookupFunction = (hostname, options, callback) => {
  lookup(hostname, { ...options, all: true }, (error, addresses: LookupAddress[]) => {
    const first = addresses?.[0]
    if (error || !first) return callback(error ?? new Error('no address'), '', 0)
    if (addresses.some(({ address }) => isPrivateAddress(address))) return callback(refusedAddress(), '', 0)
    if (options.all) return callback(null, addresses)
    callback(null, first.address, first.family)
  })
}
