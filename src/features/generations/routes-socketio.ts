import { errorBody } from '../../transport/errors.ts'
import { createFrameReader } from '../../transport/frames.ts'
import type { OpenHandler, SocketIo, SocketIoLine } from '../../transport/socketio.ts'
import { type ObserverFactory, presentGeneration } from './index.ts'
import { createConversing, type SocketWireDeps } from './routes-sockets.ts'
import { SocketFrames } from './schema-sockets.ts'

const frames = createFrameReader(SocketFrames)

/** Our own events on Socket.IO: the same frames as on the raw socket, and notices to all tabs of an account. */
export function serveGenerationsOnSocketIo(deps: SocketWireDeps & { socketIo: SocketIo }): void {
  deps.socketIo.serve(line => eventsOf(deps, line))
  deps.generations.observe(announce(deps))
}

type Names = keyof typeof SocketFrames & string

function eventsOf(deps: SocketWireDeps, line: SocketIoLine): ReturnType<OpenHandler> {
  const conversing = createConversing(deps, {
    identity: line.identity,
    signal: line.signal,
    events: (generationId, events) => line.deliver('events', { generationId, events }),
    done: (generationId, error) =>
      line.send('done', { generationId, ...(error ? { error: errorBody(error) } : {}) }),
  })
  /** Fields of an event; an `id` is not needed here, since acknowledgements match by themselves. */
  const fieldsOf = <Name extends Names>(name: Name, payload: unknown) =>
    frames.check(name, payload).fields as Extract<ReturnType<typeof frames.check>, { type: Name }>['fields']

  const follow = (payload: unknown) => conversing.follow(fieldsOf('follow', payload))
  const again = async (how: 'regenerate' | 'continue', payload: unknown) => {
    const { id: _, ...fields } = fieldsOf(how, payload)
    return followed(await conversing.again(how, fields))
  }
  async function followed<Begun extends { generation: { id: string } }>(begun: Begun): Promise<Begun> {
    await conversing.followBegun(begun.generation.id)
    return begun
  }

  return {
    start: async payload => {
      const { id: _, ...fields } = fieldsOf('start', payload)
      return followed(await conversing.start(fields))
    },
    regenerate: payload => again('regenerate', payload),
    continue: payload => again('continue', payload),
    follow,
    resume: follow,
    unfollow: payload => conversing.unfollow(fieldsOf('unfollow', payload)),
    cancel: payload => conversing.cancel(fieldsOf('cancel', payload)),
  }
}

/** Tells the account's sockets when one of its generations begins and when its end is stored. */
function announce({ generations, socketIo }: SocketWireDeps & { socketIo: SocketIo }): ObserverFactory {
  return ({ accountId, generationId, kind, conversationId, messageId, replyId }) => {
    const about = { generationId, kind, conversationId, messageId, replyId }
    if (socketIo.mayHear(accountId)) socketIo.tell(accountId, 'generation', { phase: 'started', ...about })
    return {
      text() {},
      async end() {
        if (!socketIo.mayHear(accountId)) return
        // Observers are asked before the end is stored; the notice must come after it.
        void generations.wait(accountId, generationId).then(
          ended =>
            socketIo.tell(accountId, 'generation', {
              phase: 'ended',
              ...about,
              generation: presentGeneration(ended),
            }),
          () => {},
        )
      },
    }
  }
}
