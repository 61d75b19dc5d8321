import { UnstyledButton } from '@mantine/core'
import type { Icon } from '@tabler/icons-react'
import classes from './messages.module.css'

export interface Suggestion {
  icon: Icon
  title: string
  text: string
}

/** What one could ask for; choosing gives the words. */
export function Suggestions({
  of,
  onChoose,
}: {
  of: readonly Suggestion[]
  onChoose: (text: string) => void
}) {
  return (
    <ul className={classes.suggestions} aria-label="Suggestions">
      {of.map(({ icon: Icon, title, text }) => (
        <li key={title}>
          <UnstyledButton className={classes.suggestion} onClick={() => onChoose(text)}>
            <Icon size={20} stroke={1.6} aria-hidden />
            <span>
              <strong>{title}</strong>
              <span>{text}</span>
            </span>
          </UnstyledButton>
        </li>
      ))}
    </ul>
  )
}
