import { type IncomingMessage, STATUS_CODES } from 'node:http'
import type { Duplex } from 'node:stream'
import { AppError, toAppError } from '../lib/errors.ts'
import { errorBody } from './errors.ts'
import { isTrustedOrigin, type OriginRules } from './origins.ts'
import { isAskedOfPreviews } from './preview-host.ts'
import type { Server } from './server.ts'

/** A request to speak WebSocket from now on, before anything was answered. */
export interface Upgrade {
  request: IncomingMessage
  socket: Duplex
  head: Buffer
}

/** Answers an upgrade; what it throws is told as an HTTP error, and the socket is closed. */
export type UpgradeHandler = (upgrade: Upgrade) => void | Promise<void>

export type Upgrades = ReturnType<typeof createUpgrades>

const farewellMs = 2000

/**
 * The one place where sockets come in: each path has one handler, other paths are a 404, pages of other origins a 403.
 * Requests that want to become anything but a WebSocket are answered as plain HTTP.
 */
export function createUpgrades(
  server: Server,
  origins: OriginRules & { previewOrigin?: string | undefined },
) {
  const handlers = new Map<string, UpgradeHandler>()
  const farewells: (() => void | Promise<void>)[] = []
  const sockets = new Set<Duplex>()
  let isClosing = false

  async function dispatch(upgrade: Upgrade): Promise<void> {
    if (isClosing) throw new AppError('unavailable', 'SHUTTING_DOWN', 'The server is restarting')
    const handle = handlers.get(pathOf(upgrade.request))
    if (!handle || isAskedOfPreviews(upgrade.request, origins.previewOrigin))
      throw new AppError('missing', 'NOT_FOUND', 'Route not found')
    refuseForeign(upgrade.request, origins)
    await handle(upgrade)
  }

  acceptWebSocketsOnly(server)
  server.server.on('upgrade', (request, socket, head) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
    // What a broken socket says is heard by its reader; before there is one, nobody else may be hurt by it.
    socket.on('error', () => socket.destroy())
    dispatch({ request, socket, head }).catch((thrown: unknown) => {
      const error = toAppError(thrown)
      if (error.kind === 'internal') server.log.error({ err: error.cause }, 'an upgrade failed')
      refuse(socket, error)
    })
  })
  server.addHook('preClose', async () => {
    isClosing = true
    await Promise.all(farewells.map(farewell => farewell()))
    await gone(sockets, farewellMs)
    for (const socket of sockets) socket.destroy()
  })

  return {
    /** Gives the sockets of a path to a handler. */
    route: (path: string, handler: UpgradeHandler): void => void handlers.set(path, handler),
    /** Called when the server closes, to say goodbye; two seconds later sockets are cut. */
    onClose: (farewell: () => void | Promise<void>): void => void farewells.push(farewell),
    /** Throws 403 when a page of a foreign origin asks. */
    checkOrigin: (request: IncomingMessage): void => refuseForeign(request, origins),
  }
}

function refuseForeign(request: IncomingMessage, origins: OriginRules): void {
  if (!isTrustedOrigin(request, origins))
    throw new AppError('forbidden', 'FOREIGN_ORIGIN', 'Pages of this origin may not connect')
}

function acceptWebSocketsOnly(server: Server): void {
  const http = server.server as { shouldUpgradeCallback?: (request: IncomingMessage) => boolean }
  http.shouldUpgradeCallback = request => request.headers.upgrade?.toLowerCase() === 'websocket'
}

/** The path of a request, without its query and a slash at the end. */
function pathOf(request: IncomingMessage): string {
  const path = (request.url ?? '/').split('?')[0] ?? '/'
  return path.length > 1 && path.endsWith('/') ? path.slice(0, -1) : path
}

/** The error of every path, written by hand: no HTTP server answers on this socket any more. */
function refuse(socket: Duplex, error: AppError): void {
  if (!socket.writable) return void socket.destroy()
  const body = JSON.stringify(errorBody(error))
  const lines = [
    `HTTP/1.1 ${error.status} ${STATUS_CODES[error.status] ?? 'Error'}`,
    'Connection: close',
    'Cache-Control: no-store',
    'Content-Type: application/json; charset=utf-8',
    `Content-Length: ${Buffer.byteLength(body)}`,
    ...(error.retryAfterSeconds === undefined ? [] : [`Retry-After: ${Math.ceil(error.retryAfterSeconds)}`]),
  ]
  socket.once('finish', () => socket.destroy())
  socket.end(`${lines.join('\r\n')}\r\n\r\n${body}`)
}

/** Resolves when all sockets have closed, or the time is over. */
async function gone(sockets: ReadonlySet<Duplex>, withinMs: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<void>(resolve => {
    timer = setTimeout(resolve, withinMs)
  })
  const each = [...sockets].map(socket => new Promise(resolve => socket.once('close', resolve)))
  await Promise.race([Promise.all(each), late])
  clearTimeout(timer)
}
