import { ActionIcon, Button, Tooltip } from '@mantine/core'
import { IconEdit, IconLayoutSidebarLeftCollapse } from '@tabler/icons-react'
import { Link } from 'wouter'
import type { Account } from '../api/types.ts'
import { ConversationList } from '../features/conversations/conversation-list.tsx'
import { AccountMenu } from './account-menu.tsx'
import { Brand } from './brand.tsx'
import { SectionLinks } from './sections.tsx'
import classes from './shell.module.css'

/** Where to go: a new chat, the sections, the conversations, and the account. */
export function Sidebar({ account, onHide }: { account: Account; onHide: () => void }) {
  return (
    <nav className={classes.side} aria-label="Main">
      <div className={classes.top}>
        <Link href="/" className={classes.home ?? ''} aria-label="Atelier, start page">
          <Brand />
        </Link>
        <Tooltip label="Hide sidebar (Ctrl+B)">
          <ActionIcon size="md" aria-label="Hide sidebar" onClick={onHide}>
            <IconLayoutSidebarLeftCollapse size={19} />
          </ActionIcon>
        </Tooltip>
      </div>
      <div className={classes.sections}>
        <Button
          component={Link}
          href="/"
          variant="default"
          className={classes.new ?? ''}
          justify="flex-start"
          leftSection={<IconEdit size={17} aria-hidden />}
          fullWidth
        >
          New chat
        </Button>
        <SectionLinks />
      </div>
      <ConversationList />
      <div className={classes.bottom}>
        <AccountMenu account={account} />
      </div>
    </nav>
  )
}
