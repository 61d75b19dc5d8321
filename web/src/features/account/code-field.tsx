import { Anchor, Text, TextInput } from '@mantine/core'
import { useEffect, useState } from 'react'
import { explain } from '../../api/errors.ts'
import classes from './account.module.css'
import type { CodeSent } from './calls.ts'

interface CodeFieldProps {
  name: string
  value: string
  error: string | null
  onChange: (event: { currentTarget: { value: string } }) => void
  /** Sends another code. */
  resend: () => Promise<CodeSent>
  sent: CodeSent
}

const pauseSeconds = 30

/** The field for a six-digit code, with a way to get another one after a while. */
export function CodeField({ resend, sent, ...field }: CodeFieldProps) {
  const [latest, setLatest] = useState(sent)
  return (
    <div>
      <TextInput
        label="Code"
        inputMode="numeric"
        autoComplete="one-time-code"
        maxLength={6}
        data-autofocus
        autoFocus
        classNames={{ input: classes.code ?? '' }}
        {...field}
      />
      <Text size="xs" c="dimmed" mt={6}>
        Six digits, good for {Math.round(latest.expiresIn / 60)} minutes.{' '}
        <Resend resend={resend} onSent={setLatest} />
      </Text>
      <Text size="xs" c="dimmed" mt={6}>
        Nothing arrived? Look into the spam folder. On a server without mail, its operator finds the code in
        the log.
      </Text>
      {latest.otp && (
        <Text size="xs" mt={6} className={classes.echo ?? ''}>
          This server is set up for testing. The code is <code>{latest.otp}</code>.
        </Text>
      )}
    </div>
  )
}

function Resend({ resend, onSent }: { resend: () => Promise<CodeSent>; onSent: (sent: CodeSent) => void }) {
  const [waitSeconds, setWaitSeconds] = useState(pauseSeconds)
  const [note, setNote] = useState<string | null>(null)
  const isWaiting = waitSeconds > 0

  useEffect(() => {
    if (!isWaiting) return
    const timer = setInterval(() => setWaitSeconds(seconds => seconds - 1), 1_000)
    return () => clearInterval(timer)
  }, [isWaiting])

  async function send(): Promise<void> {
    setWaitSeconds(pauseSeconds)
    try {
      onSent(await resend())
      setNote('A new code is on its way.')
    } catch (thrown) {
      setNote(explain(thrown))
    }
  }

  return (
    <>
      {isWaiting ? (
        <span>
          You can ask for another in {waitSeconds}
          {'\u00a0'}s.
        </span>
      ) : (
        <Anchor component="button" type="button" size="xs" onClick={() => void send()}>
          Send another code
        </Anchor>
      )}
      <span role="status">{note && ` ${note}`}</span>
    </>
  )
}
