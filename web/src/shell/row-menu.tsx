import { ActionIcon, type ActionIconProps, Menu } from '@mantine/core'
import { IconDots, IconPencil, IconTrash } from '@tabler/icons-react'
import { afterMenu } from './after-menu.ts'

interface RowMenuProps extends Pick<ActionIconProps, 'className' | 'size'> {
  /** What the row is about. */
  name: string
  iconSize: number
  onRename: () => void
  onDelete: () => void
}

/** The dots at the end of a row of a list: rename or delete what it is about. */
export function RowMenu({ name, iconSize, onRename, onDelete, ...button }: RowMenuProps) {
  return (
    <Menu position="bottom-end" width={160}>
      <Menu.Target>
        <ActionIcon {...button} aria-label={`Actions for ${name}`}>
          <IconDots size={iconSize} />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Item leftSection={<IconPencil size={16} />} onClick={afterMenu(onRename)}>
          Rename
        </Menu.Item>
        <Menu.Item leftSection={<IconTrash size={16} />} color="red" onClick={afterMenu(onDelete)}>
          Delete
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  )
}
