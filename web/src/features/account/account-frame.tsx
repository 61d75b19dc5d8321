import { Text, Title } from '@mantine/core'
import { type ReactNode, useEffect } from 'react'
import { Brand } from '../../shell/brand.tsx'
import classes from './account.module.css'

interface AccountFrameProps {
  title: string
  lead: ReactNode
  children: ReactNode
}

/** The quiet page around every form of a person who is not signed in. */
export function AccountFrame({ title, lead, children }: AccountFrameProps) {
  useEffect(() => {
    document.title = `${title} · Atelier`
  }, [title])
  return (
    <div className={classes.page}>
      <main className={classes.column}>
        <Brand size={34} />
        <div className={classes.card}>
          <Title order={1} size="h3">
            {title}
          </Title>
          <Text c="dimmed" size="sm" mt={4} mb="lg" className={classes.lead ?? ''}>
            {lead}
          </Text>
          {children}
        </div>
      </main>
      <footer className={classes.footer}>
        <a href="/docs">API reference</a>
      </footer>
    </div>
  )
}
