import {
  Avatar,
  Menu,
  SegmentedControl,
  Text,
  UnstyledButton,
  useMantineColorScheme,
  VisuallyHidden,
} from '@mantine/core'
import {
  IconApi,
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
import classes from './shell.module.css'

/** Who is signed in; theme, API page and log-out. */
export function AccountMenu({ account }: { account: Account }) {
  const name = account.name || account.username || account.email || account.mobile || 'Your account'
  const address = account.email ?? account.mobile
  return (
    <Menu position="top-start" width={250} withinPortal>
      <Menu.Target>
        <UnstyledButton className={classes.account} aria-label={`Account menu of ${name}`}>
          <Avatar size={30} radius="md" color="viridian" name={name} />
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

function ThemeChoice() {
  const { colorScheme, setColorScheme } = useMantineColorScheme()
  return (
    <SegmentedControl
      fullWidth
      size="xs"
      m={6}
      mt={0}
      aria-label="Appearance"
      value={colorScheme}
      onChange={value => setColorScheme(value as typeof colorScheme)}
      data={[
        { value: 'light', label: <Choice icon={<IconSun size={15} />} name="Light" /> },
        { value: 'dark', label: <Choice icon={<IconMoon size={15} />} name="Dark" /> },
        { value: 'auto', label: <Choice icon={<IconDeviceDesktop size={15} />} name="As the system" /> },
      ]}
    />
  )
}

function Choice({ icon, name }: { icon: React.ReactNode; name: string }) {
  return (
    <span title={name} style={{ display: 'grid', placeItems: 'center', height: 18 }}>
      {icon}
      <VisuallyHidden>{name}</VisuallyHidden>
    </span>
  )
}
