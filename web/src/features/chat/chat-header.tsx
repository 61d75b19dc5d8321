import { ActionIcon, Menu, Tooltip, UnstyledButton } from '@mantine/core'
import { modals } from '@mantine/modals'
import { notifications } from '@mantine/notifications'
import {
  IconBraces,
  IconChevronDown,
  IconEdit,
  IconMarkdown,
  IconMessage2Cog,
  IconPencil,
  IconStack2,
  IconTrash,
} from '@tabler/icons-react'
import { Link } from 'wouter'
import { explain } from '../../api/errors.ts'
import type { Conversation } from '../../api/types.ts'
import { afterMenu } from '../../shell/after-menu.ts'
import { useShell } from '../../shell/shell-controls.ts'
import { ShowSidebar } from '../../shell/show-sidebar.tsx'
import { lineagesOf, thingsOf } from '../artifacts/lineages.ts'
import { useConversationArtifacts } from '../artifacts/queries.ts'
import { allArtifacts, useOpenArtifact } from '../artifacts/use-open-artifact.ts'
import { InstructionsForm } from '../conversations/instructions-form.tsx'
import { exportConversation } from '../conversations/queries.ts'
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
      {conversation && <ArtifactsButton conversationId={conversation.id} />}
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

/** Opens what was made in this chat: the thing itself when it is the only one, else the list. */
function ArtifactsButton({ conversationId }: { conversationId: string }) {
  const { data } = useConversationArtifacts(conversationId)
  const [openId, open] = useOpenArtifact()
  const things = thingsOf(lineagesOf(data ?? []))
  const [first, ...others] = things
  if (!first) return null
  const count = things.length
  return (
    <Tooltip label={openId ? 'Close the panel' : 'Made in this chat'}>
      <UnstyledButton
        className={classes.made}
        aria-expanded={openId !== null}
        aria-label={`Artifacts: ${count} made in this chat`}
        onClick={() => open(openId ? null : others.length > 0 ? allArtifacts : first.newest.id)}
      >
        <IconStack2 size={17} aria-hidden />
        <span>Artifacts</span>
        <span className={classes.madeCount}>{count}</span>
      </UnstyledButton>
    </Tooltip>
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

  function save(format: 'markdown' | 'json'): void {
    exportConversation(conversation, format).catch((thrown: unknown) =>
      notifications.show({ color: 'red', title: 'Not exported', message: explain(thrown) }),
    )
  }

  return (
    <Menu position="bottom-start" width={200}>
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
        <Menu.Divider />
        <Menu.Item leftSection={<IconMarkdown size={16} />} onClick={() => save('markdown')}>
          Export as Markdown
        </Menu.Item>
        <Menu.Item leftSection={<IconBraces size={16} />} onClick={() => save('json')}>
          Export as JSON
        </Menu.Item>
        <Menu.Divider />
        <Menu.Item leftSection={<IconTrash size={16} />} color="red" onClick={afterMenu(remove)}>
          Delete
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  )
}
