import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createConnection, type Socket } from 'node:net'

/** A frame of a WebSocket, byte by byte; right unless told otherwise. */
export interface RawFrame {
  opcode?: number
  isFinal?: boolean
  /** RSV1, RSV2, RSV3 as 4, 2, 1. */
  reserved?: number
  isMasked?: boolean
  payload?: Uint8Array | string
  /** The length that is told, instead of the true one. */
  toldLength?: bigint
}

/** The bytes of a frame. */
export function frameOf(frame: RawFrame): Buffer {
  const { opcode = 1, isFinal = true, reserved = 0, isMasked = true, payload = '' } = frame
  const bytes = Buffer.from(payload)
  const told = frame.toldLength ?? BigInt(bytes.length)
  const first = (isFinal ? 0x80 : 0) | (reserved << 4) | opcode
  const mask = isMasked ? 0x80 : 0
  const short = told < 126n ? Buffer.from([first, mask | Number(told)]) : null
  const length = Buffer.alloc(told < 65_536n ? 2 : 8)
  if (!short && told < 65_536n) length.writeUInt16BE(Number(told))
  else if (!short) length.writeBigUInt64BE(told)
  const head = short ?? Buffer.concat([Buffer.from([first, mask | (told < 65_536n ? 126 : 127)]), length])
  if (!isMasked) return Buffer.concat([head, bytes])
  const key = randomBytes(4)
  const masked = bytes.map((byte, index) => byte ^ (key[index % 4] ?? 0))
  return Buffer.concat([head, key, masked])
}

/** A connection that was upgraded by hand, so that anything can be sent on it. */
export interface RawSocket {
  socket: Socket
  /** The answer to the upgrade. */
  head: string
  /** Resolves when the server has closed it, with the code of its close frame; null without one. */
  closed: Promise<number | null>
}

/** Upgrades a connection; rejects unless the answer is 101. */
export async function openRaw(url: string, headers: Record<string, string> = {}): Promise<RawSocket> {
  const { hostname, port, pathname, search } = new URL(url)
  const socket = createConnection(Number(port), hostname)
  socket.on('error', () => {})
  const all = {
    Host: `${hostname}:${port}`,
    Connection: 'Upgrade',
    Upgrade: 'websocket',
    'Sec-WebSocket-Key': randomBytes(16).toString('base64'),
    'Sec-WebSocket-Version': '13',
    ...headers,
  }
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}`)
  socket.write(`GET ${pathname}${search} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`)
  let heard = Buffer.alloc(0)
  socket.on('data', chunk => {
    heard = Buffer.concat([heard, chunk])
  })
  while (!heard.includes('\r\n\r\n')) await once(socket, 'data')
  const end = heard.indexOf('\r\n\r\n')
  const head = heard.subarray(0, end).toString('latin1')
  if (!head.startsWith('HTTP/1.1 101')) throw new Error(head)
  heard = heard.subarray(end + 4)
  const closed = new Promise<number | null>(resolve =>
    socket.once('close', () => resolve(closeCodeIn(heard))),
  )
  return { socket, head, closed }
}

/** The code of the first close frame among frames of a server. */
function closeCodeIn(bytes: Buffer): number | null {
  for (let at = 0; at + 2 <= bytes.length; ) {
    const opcode = (bytes[at] ?? 0) & 0x0f
    const short = (bytes[at + 1] ?? 0) & 0x7f
    const head = short === 126 ? 4 : short === 127 ? 10 : 2
    const length =
      short === 126
        ? bytes.readUInt16BE(at + 2)
        : short === 127
          ? Number(bytes.readBigUInt64BE(at + 2))
          : short
    if (opcode === 8) return length >= 2 ? bytes.readUInt16BE(at + head) : null
    at += head + length
  }
  return null
}
