import { notifications } from '@mantine/notifications'
import { useState } from 'react'
import { explain } from '../../api/errors.ts'
import type { Message } from '../../api/types.ts'
import { readVersions } from '../conversations/queries.ts'

/** What stands in an answer's place: the newest answer, or an earlier one that was asked for. */
export interface Versions {
  shown: Message
  isEarlier: boolean
  count: number
  show: (version: number) => void
}

/** Lets the reader look at the answers that a regenerated one took the place of; they are read when asked for. */
export function useVersions(newest: Message): Versions {
  const [earlier, setEarlier] = useState<Message | null>(null)
  const conversationId = newest.generation?.conversationId

  async function show(version: number): Promise<void> {
    if (!conversationId || version >= newest.version) return setEarlier(null)
    try {
      const all = await readVersions(conversationId, newest)
      setEarlier(all.find(message => message.version === version) ?? null)
    } catch (thrown) {
      notifications.show({ color: 'red', message: explain(thrown) })
    }
  }

  return {
    shown: earlier ?? newest,
    isEarlier: earlier !== null,
    count: conversationId ? newest.version : 1,
    show: version => void show(version),
  }
}
