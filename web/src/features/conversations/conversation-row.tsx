import { Link } from 'wouter'
import type { Conversation } from '../../api/types.ts'
import { RowMenu } from '../../shell/row-menu.tsx'
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
      <RowMenu
        name={conversation.title}
        className={classes.dots ?? ''}
        size="sm"
        iconSize={16}
        onRename={rename}
        onDelete={remove}
      />
    </li>
  )
}
