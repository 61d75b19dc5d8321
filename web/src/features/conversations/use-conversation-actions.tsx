import { Text } from '@mantine/core'
import { modals } from '@mantine/modals'
import { notifications } from '@mantine/notifications'
import { useLocation } from 'wouter'
import { explain } from '../../api/errors.ts'
import type { Conversation } from '../../api/types.ts'
import { forgetConversation, useDeleteConversation } from './queries.ts'
import { RenameForm } from './rename-form.tsx'

/** Rename and delete of one conversation, each with its dialog. */
export function useConversationActions(conversation: Pick<Conversation, 'id' | 'title'>) {
  const { mutateAsync: deleteConversation } = useDeleteConversation()
  const [location, navigate] = useLocation()

  function rename(): void {
    const modalId = modals.open({
      title: 'Rename chat',
      children: <RenameForm conversation={conversation} onDone={() => modals.close(modalId)} />,
    })
  }

  function remove(): void {
    modals.openConfirmModal({
      title: 'Delete this chat?',
      children: (
        <Text size="sm">
          “{conversation.title}” with all its messages and everything that was made in it will be deleted.
          This cannot be undone.
        </Text>
      ),
      labels: { confirm: 'Delete chat', cancel: 'Keep it' },
      confirmProps: { color: 'red' },
      onConfirm: () => void removeNow(),
    })
  }

  async function removeNow(): Promise<void> {
    try {
      await deleteConversation(conversation.id)
      if (location === `/c/${conversation.id}`) navigate('/', { replace: true })
      setTimeout(() => forgetConversation(conversation.id))
      notifications.show({ message: 'Chat deleted.' })
    } catch (thrown) {
      notifications.show({ color: 'red', title: 'The chat was not deleted', message: explain(thrown) })
    }
  }

  return { rename, remove }
}
