import { BlockList, isIP } from 'node:net'
import { networkInterfaces } from 'node:os'
import { AppError } from '../../lib/errors.ts'

/** What a run ends with when an address that an account entered is not fit, or leads inside by now. */
export function refusedAddress(): AppError {
  return new AppError(
    'unprocessable',
    'PROVIDER_REFUSED',
    'The base URL of this key leads to an address that is not allowed.',
  )
}

/** Whether it is that error, and not a provider that refused a request. */
export function isRefusedAddress(error: unknown): boolean {
  return error instanceof AppError && error.message === refusedAddress().message
}

const longestBaseUrl = 300

/** Whether a text has the form of a base URL: nothing in it that two readers of URLs could read differently. */
export function looksLikeBaseUrl(text: string): boolean {
  return text.length <= longestBaseUrl && /^https?:\/\/[^\s\\?#@]+$/i.test(text) && URL.canParse(text)
}

/** Ports of databases, caches, queues and consoles, which no model provider answers on. */
const oddPorts = new Set([
  1433, 1521, 1883, 2049, 2181, 2375, 2376, 2379, 2380, 3306, 3389, 4222, 4369, 5432, 5433, 5601, 5672, 5900,
  5984, 5985, 5986, 6379, 6380, 6443, 7000, 7001, 7199, 7474, 7687, 8125, 8500, 9042, 9092, 9200, 9300, 10250,
  10255, 11211, 15672, 25672, 26257, 26379, 27017, 27018, 27019, 28015, 50000,
])
const webPorts = new Set([80, 443])

/**
 * Refuses a URL that an account entered unless it is https, without credentials, on a port of the web (80, 443, or from
 * 1024 on without the well-known ones of databases), and its host is no address or name inside. With
 * `allowPrivateAddresses` the host may be any and http is allowed. Names are checked again when they are resolved.
 */
export function refuseUnfit(url: URL, allowPrivateAddresses: boolean): void {
  const isSecure = url.protocol === 'https:'
  if (!isSecure && !(allowPrivateAddresses && url.protocol === 'http:')) throw refusedAddress()
  if (url.username || url.password) throw refusedAddress()
  const port = Number(url.port || (isSecure ? 443 : 80))
  if (oddPorts.has(port) || (port < 1024 && !webPorts.has(port))) throw refusedAddress()
  if (!allowPrivateAddresses && isInsideName(hostOf(url))) throw refusedAddress()
}

/** The host as sockets want it: IPv6 without brackets. */
export function hostOf(url: URL): string {
  return url.hostname.replace(/^\[|\]$/g, '')
}

/** Names that lead inside by agreement, and addresses that are inside. */
function isInsideName(host: string): boolean {
  if (isIP(host) !== 0) return isPrivateAddress(host)
  const name = host.replace(/\.$/, '').toLowerCase()
  return (
    !name.includes('.') || /(^|\.)(localhost|local|localdomain|internal|intranet|lan|home|corp)$/.test(name)
  )
}

const privateAddresses = new BlockList()
for (const [network, prefix] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  // A cloud's metadata, at an address that looks public.
  ['168.63.129.16', 32],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
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
  ['3fff::', 20],
] as const) {
  translated6.addSubnet(network, prefix, 'ipv6')
}

/** Whether an address belongs to this machine, a private network or a range that no provider can have. */
export function isPrivateAddress(address: string): boolean {
  const family = isIP(address)
  if (isOwnAddress(address)) return true
  if (family === 4) return privateAddresses.check(address, 'ipv4')
  if (family !== 6) return true
  return !publicAddresses6.check(address, 'ipv6') || translated6.check(address, 'ipv6')
}

/** This machine under its public address: what listens only for its neighbours answers there too. */
function isOwnAddress(address: string): boolean {
  return Object.values(networkInterfaces()).some(list => list?.some(own => own.address === address))
}
