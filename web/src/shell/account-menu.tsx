import { Avatar, Menu, Text, UnstyledButton, useMantineColorScheme, VisuallyHidden } from '@mantine/core'
import {
  IconApi,
  IconCheck,
  IconDeviceDesktop,
  IconLogout,
  IconMoon,
  IconSelector,
  IconSettings,
  IconSun,
} from '@tabler/icons-react'
import { Link } from 'wouter'
import type { Account } from '../api/types.ts'
import { logOut } from '../features/account/calls.ts'
import { initialsOf } from '../format.ts'
import classes from './shell.module.css'

/** Who is signed in; theme, API page and log-out. */
export function AccountMenu({ account }: { account: Account }) {
  const name = account.name || account.username || account.email || account.mobile || 'Your account'
  const address = account.email ?? account.mobile
  return (
    <Menu position="top-start" width={250} withinPortal>
      <Menu.Target>
        <UnstyledButton className={classes.account}>
          <VisuallyHidden>Account menu</VisuallyHidden>
          <Avatar aria-hidden size={30} radius="md" color="viridian">
            {initialsOf(name)}
          </Avatar>
          <span className={classes.accountNames}>
            <Text size="sm" fw={500} truncate>
              {name}
            </Text>
            {address && address !== name && (
              <Text size="xs" c="dimmed" truncate>
                {address}
              </Text>
            )}
          </span>
          <IconSelector size={16} color="var(--ink-faint)" aria-hidden />
        </UnstyledButton>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>Appearance</Menu.Label>
        <ThemeChoice />
        <Menu.Divider />
        <Menu.Item component={Link} href="/settings" leftSection={<IconSettings size={16} />}>
          Settings
        </Menu.Item>
        <Menu.Item component="a" href="/docs" target="_blank" leftSection={<IconApi size={16} />}>
          API reference
        </Menu.Item>
        <Menu.Item leftSection={<IconLogout size={16} />} onClick={() => void logOut()}>
          Log out
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  )
}

const schemes = [
  { value: 'light', label: 'Light', icon: IconSun },
  { value: 'dark', label: 'Dark', icon: IconMoon },
  { value: 'auto', label: 'As the system', icon: IconDeviceDesktop },
] as const

function ThemeChoice() {
  const { colorScheme, setColorScheme } = useMantineColorScheme()
  return schemes.map(({ value, label, icon: Icon }) => (
    <Menu.Item
      key={value}
      closeMenuOnClick={false}
      leftSection={<Icon size={16} />}
      rightSection={value === colorScheme && <IconCheck size={15} />}
      onClick={() => setColorScheme(value)}
    >
      {label}
      {value === colorScheme && <VisuallyHidden>, chosen</VisuallyHidden>}
    </Menu.Item>
  ))
}
