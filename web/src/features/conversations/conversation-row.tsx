import { ActionIcon, Menu } from '@mantine/core'
import { IconDots, IconPencil, IconTrash } from '@tabler/icons-react'
import { Link } from 'wouter'
import type { Conversation } from '../../api/types.ts'
import { afterMenu } from '../../shell/after-menu.ts'
import classes from './conversations.module.css'
import { useConversationActions } from './use-conversation-actions.tsx'

/** One conversation in the list: its link, and a menu to rename or delete it. */
export function ConversationRow({ conversation, isOpen }: { conversation: Conversation; isOpen: boolean }) {
  const { rename, remove } = useConversationActions(conversation)
  return (
    <li className={classes.row} data-open={isOpen || undefined}>
      <Link
        href={`/c/${conversation.id}`}
        className={classes.link ?? ''}
        aria-current={isOpen ? 'page' : undefined}
        title={conversation.title}
      >
        {conversation.title}
      </Link>
      <Menu position="bottom-end" width={160}>
        <Menu.Target>
          <ActionIcon
            className={classes.dots ?? ''}
            size="sm"
            aria-label={`Actions for ${conversation.title}`}
          >
            <IconDots size={16} />
          </ActionIcon>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Item leftSection={<IconPencil size={16} />} onClick={afterMenu(rename)}>
            Rename
          </Menu.Item>
          <Menu.Item leftSection={<IconTrash size={16} />} color="red" onClick={afterMenu(remove)}>
            Delete
          </Menu.Item>
        </Menu.Dropdown>
      </Menu>
    </li>
  )
}
