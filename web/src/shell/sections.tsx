import { NavLink } from '@mantine/core'
import { IconBooks, IconPlug, IconWriting } from '@tabler/icons-react'
import type { ComponentType } from 'react'
import { Link, useLocation } from 'wouter'
import classes from './shell.module.css'

interface Section {
  label: string
  href: string
  icon: ComponentType<{ size?: number }>
}

/** The parts of the console besides chats. */
const sections: readonly Section[] = [
  { label: 'Plugins', href: '/plugins', icon: IconPlug },
  { label: 'Content', href: '/content', icon: IconWriting },
  { label: 'Library', href: '/library', icon: IconBooks },
]

/** Links to the sections; nothing while there are none. */
export function SectionLinks() {
  const [location] = useLocation()
  return sections.map(({ label, href, icon: Icon }) => {
    const isHere = location.startsWith(href)
    return (
      <NavLink
        key={href}
        component={Link}
        href={href}
        label={label}
        active={isHere}
        {...(isHere ? { 'aria-current': 'page' as const } : {})}
        className={classes.section ?? ''}
        leftSection={<Icon size={17} />}
      />
    )
  })
}
