import { Text, Title } from '@mantine/core'
import type { ReactNode } from 'react'
import classes from './settings.module.css'

interface SectionProps {
  title: string
  lead?: ReactNode
  isDangerous?: boolean
  children: ReactNode
}

/** One matter of the settings, with its heading. */
export function Section({ title, lead, isDangerous = false, children }: SectionProps) {
  return (
    <section className={classes.section} aria-label={title} data-dangerous={isDangerous || undefined}>
      <div className={classes.about}>
        <Title order={2} size="h5">
          {title}
        </Title>
        {lead && (
          <Text size="sm" c="dimmed" mt={4}>
            {lead}
          </Text>
        )}
      </div>
      <div className={classes.body}>{children}</div>
    </section>
  )
}
