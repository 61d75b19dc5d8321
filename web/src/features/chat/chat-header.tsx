import { ActionIcon, Menu, Tooltip, UnstyledButton } from '@mantine/core'
import { modals } from '@mantine/modals'
import { IconChevronDown, IconEdit, IconMessage2Cog, IconPencil, IconTrash } from '@tabler/icons-react'
import { Link } from 'wouter'
import type { Conversation } from '../../api/types.ts'
import { afterMenu } from '../../shell/after-menu.ts'
import { useShell } from '../../shell/shell-controls.ts'
import { ShowSidebar } from '../../shell/show-sidebar.tsx'
import { InstructionsForm } from '../conversations/instructions-form.tsx'
import { useConversationActions } from '../conversations/use-conversation-actions.tsx'
import classes from './messages.module.css'

/** The chat's title with its actions, and the ways out when the sidebar is hidden. */
export function ChatHeader({ conversation }: { conversation: Conversation | undefined }) {
  const { isSidebarVisible } = useShell()
  return (
    <header className={classes.header}>
      <ShowSidebar />
      {conversation ? (
        <h1 className={classes.headerTitle}>
          <TitleMenu conversation={conversation} />
        </h1>
      ) : (
        <div className={classes.headerTitle} />
      )}
      {!isSidebarVisible && (
        <Tooltip label="New chat">
          <ActionIcon component={Link} href="/" size="md" aria-label="New chat">
            <IconEdit size={19} />
          </ActionIcon>
        </Tooltip>
      )}
    </header>
  )
}

function TitleMenu({ conversation }: { conversation: Conversation }) {
  const { rename, remove } = useConversationActions(conversation)

  function instruct(): void {
    const modalId = modals.open({
      title: 'Instructions for this chat',
      size: 'lg',
      children: <InstructionsForm conversation={conversation} onDone={() => modals.close(modalId)} />,
    })
  }

  return (
    <Menu position="bottom-start" width={180}>
      <Menu.Target>
        <UnstyledButton className={classes.title} aria-label={`Chat “${conversation.title}”, actions`}>
          <span>{conversation.title}</span>
          <IconChevronDown size={15} aria-hidden />
        </UnstyledButton>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Item leftSection={<IconPencil size={16} />} onClick={afterMenu(rename)}>
          Rename
        </Menu.Item>
        <Menu.Item leftSection={<IconMessage2Cog size={16} />} onClick={afterMenu(instruct)}>
          Instructions
        </Menu.Item>
        <Menu.Item leftSection={<IconTrash size={16} />} color="red" onClick={afterMenu(remove)}>
          Delete
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  )
}
