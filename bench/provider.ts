// The provider that all servers under test call: OpenAI's chat completions from prebuilt bytes, so that it costs little.
// The last message says what to answer: [[5]] five tokens at once, [[150 every 20]] one each 20 ms, [[quiet]] one and
// then nothing, [[9999 stamped 50]] one each 50 ms that says when it was sent. Answers to process messages: `count` asks how many paced tokens were sent so far.
import http, { type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

const word = 'word '
const framesPerWrite = 20

function frame(delta: object, finishReason: string | null): string {
  const choices = [{ index: 0, delta, finish_reason: finishReason }]
  const chunk = {
    id: 'chatcmpl-bench',
    object: 'chat.completion.chunk',
    created: 1_700_000_000,
    model: 'bench',
  }
  return `data: ${JSON.stringify({ ...chunk, choices })}\n\n`
}

const usageOf = (tokens: number) => ({
  prompt_tokens: 200,
  completion_tokens: tokens,
  total_tokens: 200 + tokens,
})
const oneFrame = Buffer.from(frame({ content: word }, null))
const manyFrames = Buffer.from(frame({ content: word }, null).repeat(framesPerWrite))
const tailOf = (tokens: number) => {
  const usage = `data: ${JSON.stringify({ id: 'chatcmpl-bench', object: 'chat.completion.chunk', choices: [], usage: usageOf(tokens) })}\n\n`
  return Buffer.from(`${frame({}, 'stop')}${usage}data: [DONE]\n\n`)
}

let pacedTokens = 0

function streamAtOnce(response: ServerResponse, tokens: number): void {
  let left = tokens
  const step = () => {
    if (response.destroyed) return
    if (left <= framesPerWrite) {
      response.end(Buffer.concat([manyFrames.subarray(0, left * oneFrame.length), tailOf(tokens)]))
      return
    }
    left -= framesPerWrite
    if (response.write(manyFrames)) setImmediate(step)
    else response.once('drain', step)
  }
  step()
}

function streamPaced(response: ServerResponse, tokens: number, everyMs: number): void {
  let left = tokens
  const timer = setInterval(() => {
    if (response.destroyed) return clearInterval(timer)
    response.write(oneFrame)
    pacedTokens += 1
    left -= 1
    if (left > 0) return
    clearInterval(timer)
    response.end(tailOf(tokens))
  }, everyMs)
}

const [beforeStamp = '', afterStamp = ''] = frame({ content: 'STAMP' }, null).split('STAMP')

/** Tokens like @1700000000000.5@, with the machine's time in milliseconds. */
function streamStamped(response: ServerResponse, tokens: number, everyMs: number): void {
  let left = tokens
  const timer = setInterval(() => {
    left -= 1
    if (response.destroyed || left < 0) return clearInterval(timer)
    const now = (performance.timeOrigin + performance.now()).toFixed(1)
    response.write(`${beforeStamp}@${now}@${afterStamp}`)
  }, everyMs)
}

function answer(body: string, response: ServerResponse): void {
  const asked = /^\[\[(?:(\d+)(?: (every|stamped) (\d+))?|quiet)\]\]/.exec(body.slice(body.lastIndexOf('[[')))
  const tokens = Number(asked?.[1] ?? 1)
  if (!body.includes('"stream":true')) {
    const message = { role: 'assistant', content: word.repeat(tokens) }
    const choices = [{ index: 0, message, finish_reason: 'stop' }]
    const text = JSON.stringify({
      id: 'chatcmpl-bench',
      object: 'chat.completion',
      choices,
      usage: usageOf(tokens),
    })
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) })
    response.end(text)
    return
  }
  response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-cache' })
  if (asked?.[1] === undefined) response.write(oneFrame)
  else if (asked[2] === undefined) streamAtOnce(response, tokens)
  else if (asked[2] === 'stamped') streamStamped(response, tokens, Number(asked[3]))
  else streamPaced(response, tokens, Number(asked[3]))
}

const server = http.createServer((request: IncomingMessage, response) => {
  let body = ''
  request.setEncoding('utf8')
  request.on('data', (text: string) => {
    body += text
  })
  request.on('end', () => answer(body, response))
})
server.keepAliveTimeout = 120_000
server.listen(0, '127.0.0.1', () => process.send?.({ port: (server.address() as AddressInfo).port }))
process.on('message', () => process.send?.({ pacedTokens }))
process.on('disconnect', () => process.exit(0))
