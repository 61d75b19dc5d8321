import { setTimeout as sleep } from 'node:timers/promises'
import { openIo, openSocket } from '../support/sockets.ts'
import { call, type Json, Refusal } from './client.ts'
import type { Turn } from './turn.ts'

export type WireName = 'sse' | 'websocket' | 'socketio' | 'polling' | 'json'

/** One message on its way over one wire. */
export interface Conversation {
  /** Resolves when the client knows the end. */
  done: Promise<void>
  /** Asks the server to stop, the way this wire does it. */
  cancel(): Promise<void>
  /** Goes away without a word; null where a client is not there while it waits. */
  leave: (() => void) | null
}

/** Sends a turn's message over a wire, and has the turn read the answer. */
export type Wire = (turn: Turn, url: string) => Promise<Conversation>

const viaRest = (turn: Turn, url: string) => async () => {
  const path = `/generations/${turn.generationId}/cancel`
  await call(url, { path, person: turn.options.person, body: {} })
}

async function sse(turn: Turn, url: string): Promise<Conversation> {
  const leaving = new AbortController()
  const done = turn.submit(url, leaving.signal)
  return { done, cancel: viaRest(turn, url), leave: () => leaving.abort() }
}

async function polling(turn: Turn, url: string): Promise<Conversation> {
  await turn.submit(url)
  const poll = async () => {
    for (; turn.end === null; await sleep(50)) await turn.poll(url)
  }
  return { done: poll(), cancel: viaRest(turn, url), leave: null }
}

async function json(turn: Turn, url: string): Promise<Conversation> {
  const leaving = new AbortController()
  const body = { ...turn.question, stream: false }
  const ask = async () => {
    const what = { path: '/generations', person: turn.options.person, body, signal: leaving.signal }
    // A failure is told as an error, which says that nothing was charged by not being an answer.
    const told = await call(url, what).catch(error => {
      if (!(error instanceof Refusal)) throw error
      return {
        generation: { status: 'failed', error: { code: error.code }, costMicroCredits: 0 },
        reply: { content: '' },
      }
    })
    if (told.generation.id) turn.know({ generation: told.generation })
    turn.text = told.reply.content
    turn.end = told.generation
  }
  const cancel = async () => {
    // The id is told only with the whole answer; another page of the person sees it in the list.
    const { conversations } = await call(url, { path: '/conversations', person: turn.options.person })
    const newest = `/conversations/${conversations[0].id}`
    const { messages } = await call(url, { path: newest, person: turn.options.person })
    turn.know({ generation: messages.at(-1).generation })
    await viaRest(turn, url)()
  }
  return { done: ask(), cancel, leave: () => leaving.abort() }
}

async function websocket(turn: Turn, url: string): Promise<Conversation> {
  const headers = { authorization: `Bearer ${turn.options.person.token}` }
  const socket = await openSocket(`${url}/api/v1/socket`, { headers })
  const started = await socket.ask({ type: 'start', ...turn.question })
  if (started.type !== 'started') throw new Error(`not started: ${JSON.stringify(started)}`)
  turn.know(started)
  const cancelling = { done: Promise.resolve() }
  const read = async () => {
    turn.take(await socket.whole(turn.generationId))
    await cancelling.done
    socket.webSocket.close()
  }
  return {
    done: read(),
    cancel: () => {
      cancelling.done = socket.ask({ type: 'cancel', generationId: turn.generationId })
      return cancelling.done
    },
    leave: () => socket.webSocket.terminate(),
  }
}

async function socketio(turn: Turn, url: string): Promise<Conversation> {
  const io = await openIo(url, { auth: { token: turn.options.person.token } })
  const started: Json = await io.ask('start', turn.question)
  if (!started.success) throw new Error(`not started: ${JSON.stringify(started)}`)
  turn.know(started.data)
  const cancelling = { done: Promise.resolve() }
  const read = async () => {
    turn.take(await io.whole(turn.generationId))
    await cancelling.done
    io.close()
  }
  return {
    done: read(),
    cancel: () => {
      cancelling.done = io.ask('cancel', { generationId: turn.generationId })
      return cancelling.done
    },
    leave: () => io.close(),
  }
}

/** The ways to send a message and to read its answer. */
export const wires: Readonly<Record<WireName, Wire>> = { sse, websocket, socketio, polling, json }
