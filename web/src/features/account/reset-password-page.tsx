import { Anchor, Button, PasswordInput, Stack } from '@mantine/core'
import { useEffect, useState } from 'react'
import { Link } from 'wouter'
import { AccountFrame } from './account-frame.tsx'
import { resetPassword } from './calls.ts'
import { FormFailure } from './form-failure.tsx'
import { passwordProblem } from './rules.ts'
import { useForm } from './use-form.ts'

/** A new password by the link of a mail. The link's token stands behind #, so that no server log ever sees it. */
export function ResetPasswordPage({ onDone }: { onDone: () => void }) {
  const [verificationToken] = useState(() => new URLSearchParams(location.hash.slice(1)).get('token') ?? '')
  // The token leaves the address bar and the history as soon as it has been read.
  useEffect(() => history.replaceState(history.state, '', location.pathname), [])
  const { form, field, submit, isBusy, failure } = useForm({
    initial: { newPassword: '' },
    check: ({ newPassword }) => ({ newPassword: passwordProblem(newPassword) }),
    submit: async ({ newPassword }) => {
      await resetPassword({ verificationToken }, newPassword)
      onDone()
    },
  })
  const other = (
    <Anchor component={Link} href="/forgot-password">
      Ask for a new link
    </Anchor>
  )
  if (!verificationToken) {
    return (
      <AccountFrame
        title="This link is not complete"
        lead="Open it from the message once more, or ask for another."
      >
        {other}
      </AccountFrame>
    )
  }
  return (
    <AccountFrame title="Set a new password" lead={<>Did the link not work? {other}</>}>
      <form ref={form} onSubmit={submit} noValidate>
        <Stack gap="md">
          <FormFailure message={failure} />
          <PasswordInput
            label="New password"
            description="At least 8 characters. You will be signed out on all devices."
            autoComplete="new-password"
            autoFocus
            {...field('newPassword')}
          />
          <Button type="submit" loading={isBusy} fullWidth mt="xs">
            Set password
          </Button>
        </Stack>
      </form>
    </AccountFrame>
  )
}
