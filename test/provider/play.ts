import type { ServerResponse } from 'node:http'
import type { Fault, Script } from './script.ts'
import { chatBody, errorBody, type Frames, framesFor, type WireName } from './wires.ts'

/** Where the player writes down how far it came. */
export interface Progress {
  tokensSent: number
}

export interface Play {
  response: ServerResponse
  wire: WireName
  script: Script
  isStream: boolean
  progress: Progress
}

const streamHeaders = { 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-cache' }

/** Plays a script as the answer to one request. */
export function play(input: Play): void {
  const { script } = input
  if (script.delayMs) setTimeout(() => begin(input), script.delayMs)
  else begin(input)
}

function begin(input: Play): void {
  const { response, wire, script, isStream, progress } = input
  if (response.destroyed || script.fault === 'stall') return
  if (script.fault === 'redirect') {
    response.writeHead(307, { location: 'http://127.0.0.1:9/elsewhere', ...script.headers }).end()
  } else if (script.status !== undefined) {
    const { body, contentType = 'application/json', ...error } = script.error ?? {}
    response.writeHead(script.status, { 'content-type': contentType, ...script.headers })
    response.end(body ?? errorBody(wire, script.status, error))
  } else if (isStream) {
    playStream(input, framesFor(wire, script))
  } else {
    progress.tokensSent = framesFor(wire, script).tokens.length
    response.writeHead(200, { 'content-type': 'application/json' }).end(chatBody(script))
  }
}

function playStream({ response, script, progress }: Play, frames: Frames): void {
  const { fault, intervalMs = 0, delivery = intervalMs > 0 ? 'frames' : 'joined' } = script
  const limit = fault ? (script.faultAfter ?? 2) : frames.tokens.length
  if (fault && limit < 0) {
    breakAt(response, fault, frames)
    return
  }
  const type = fault === 'wrong-type' ? { 'content-type': 'text/html' } : {}
  response.writeHead(200, { ...streamHeaders, ...type, ...script.headers })
  const tokens = frames.tokens.slice(0, limit)
  const finish = () => (fault ? breakAt(response, fault, frames) : void response.end())
  if (delivery === 'joined') {
    progress.tokensSent = tokens.length
    response.write(Buffer.concat([frames.head, ...tokens, ...(fault ? [] : [frames.tail])]))
    // A fault must not overtake what was written before it.
    if (fault) setTimeout(finish, 5)
    else finish()
  } else if (delivery === 'frames') {
    writeFrames({ response, frames, tokens, intervalMs, progress, isWhole: !fault }, finish)
  } else {
    progress.tokensSent = tokens.length
    const whole = Buffer.concat([frames.head, ...tokens, ...(fault ? [] : [frames.tail])])
    writePieces(response, pieces(whole, delivery), finish)
  }
}

interface Writing {
  response: ServerResponse
  frames: Frames
  tokens: Buffer[]
  intervalMs: number
  progress: Progress
  isWhole: boolean
}

/** One write per token, `intervalMs` apart; timers of one length share one list in Node, so many streams are cheap. */
function writeFrames(
  { response, frames, tokens, intervalMs, progress, isWhole }: Writing,
  finish: () => void,
): void {
  if (frames.head.length > 0) response.write(frames.head)
  else response.flushHeaders()
  let next = 0
  const timer = setInterval(() => {
    if (response.destroyed) return clearInterval(timer)
    const token = tokens[next]
    next += 1
    if (token) {
      response.write(token)
      progress.tokensSent += 1
    }
    if (next < tokens.length) return
    clearInterval(timer)
    if (isWhole) response.write(frames.tail)
    finish()
  }, intervalMs)
}

function pieces(whole: Buffer, delivery: 'bytes' | readonly number[]): Buffer[] {
  const cuts = delivery === 'bytes' ? Array.from(whole.keys()) : [...new Set(delivery)].sort((a, b) => a - b)
  const inside = cuts.filter(cut => cut > 0 && cut < whole.length)
  return [0, ...inside].map((start, index) => whole.subarray(start, inside[index] ?? whole.length))
}

/** One write per turn of the event loop, so that pieces leave in packets of their own. */
function writePieces(response: ServerResponse, all: Buffer[], finish: () => void): void {
  let next = 0
  const step = () => {
    const piece = all[next]
    next += 1
    if (response.destroyed) return
    if (piece) {
      response.write(piece)
      setImmediate(step)
    } else {
      finish()
    }
  }
  step()
}

function breakAt(response: ServerResponse, fault: Fault, frames: Frames): void {
  switch (fault) {
    case 'cut-fin':
      response.socket?.end()
      break
    case 'cut-rst':
      response.socket?.resetAndDestroy()
      break
    case 'in-band-error':
      response.end(frames.inBandError)
      break
    case 'prompt-blocked':
      response.end(frames.blocked)
      break
    case 'garbage':
      response.write('data: {"choices": [{"delta" oh no\n\n')
      response.end(frames.tail)
      break
    case 'huge-frame':
      response.write('data: "')
      for (let megabyte = 0; megabyte < 9; megabyte += 1) response.write('x'.repeat(1024 * 1024))
      break
    case 'wrong-type':
      response.end()
      break
    default:
      break
  }
}
