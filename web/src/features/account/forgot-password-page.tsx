import { Anchor, Button, PasswordInput, Stack } from '@mantine/core'
import { useState } from 'react'
import { Link } from 'wouter'
import { AccountFrame } from './account-frame.tsx'
import { AddressForm } from './address-form.tsx'
import { type CodeSent, forgotPassword, resetPassword } from './calls.ts'
import { CodeField } from './code-field.tsx'
import { FormFailure } from './form-failure.tsx'
import { codeProblem, passwordProblem, readAddress } from './rules.ts'
import { useForm } from './use-form.ts'

/** A new password for somebody who forgot theirs: address, then code and new password. `onDone` follows. */
export function ForgotPasswordPage({ onDone }: { onDone: () => void }) {
  const [sentTo, setSentTo] = useState<{ address: string; sent: CodeSent } | null>(null)
  const lead = sentTo ? (
    <>
      If <strong>{sentTo.address}</strong> has an account, a message is on its way.
    </>
  ) : (
    <>
      We send you a code.{' '}
      <Anchor component={Link} href="/login">
        Back to log-in
      </Anchor>
    </>
  )
  return (
    <AccountFrame title="Set a new password" lead={lead}>
      {sentTo ? (
        <NewPasswordForm {...sentTo} onDone={onDone} />
      ) : (
        <AddressForm
          initial=""
          onSubmit={async address => {
            setSentTo({ address, sent: await forgotPassword(readAddress(address)) })
          }}
        />
      )}
    </AccountFrame>
  )
}

interface NewPasswordFormProps {
  address: string
  sent: CodeSent
  onDone: () => void
}

function NewPasswordForm({ address, sent, onDone }: NewPasswordFormProps) {
  const { form, field, submit, isBusy, failure } = useForm({
    initial: { code: '', newPassword: '' },
    check: ({ code, newPassword }) => ({
      code: codeProblem(code),
      newPassword: passwordProblem(newPassword),
    }),
    submit: async ({ code, newPassword }) => {
      await resetPassword({ ...readAddress(address), code: code.trim() }, newPassword)
      onDone()
    },
  })
  return (
    <form ref={form} onSubmit={submit} noValidate>
      <Stack gap="md">
        <FormFailure message={failure} />
        <CodeField {...field('code')} sent={sent} resend={() => forgotPassword(readAddress(address))} />
        <PasswordInput
          label="New password"
          description="At least 8 characters. You will be signed out on all devices."
          autoComplete="new-password"
          {...field('newPassword')}
        />
        <Button type="submit" loading={isBusy} fullWidth mt="xs">
          Set password
        </Button>
      </Stack>
    </form>
  )
}
