import { Button, Group, PasswordInput, Stack, Text } from '@mantine/core'
import { modals } from '@mantine/modals'
import { useState } from 'react'
import { useLocation } from 'wouter'
import { forget } from '../../api/session.ts'
import type { Account } from '../../api/types.ts'
import type { CodeSent } from '../account/calls.ts'
import { CodeField } from '../account/code-field.tsx'
import { FormFailure } from '../account/form-failure.tsx'
import { codeProblem } from '../account/rules.ts'
import { useForm } from '../account/use-form.ts'
import { deleteAccount, sendOwnCode, verifyOwnCode } from './queries.ts'

interface DeletionDialogProps {
  account: Account
  onCancel: () => void
}

/** The last question before an account is erased: the password, or a code where there is none. */
export function DeletionDialog({ account, onCancel }: DeletionDialogProps) {
  const [sent, setSent] = useState<CodeSent | null>(null)
  const [, navigate] = useLocation()
  const needsCode = !account.hasPassword
  const { form, field, submit, isBusy, failure } = useForm({
    initial: { password: '', code: '' },
    check: ({ password, code }) => ({
      password: needsCode || password ? undefined : 'Enter your password.',
      code: needsCode && sent ? codeProblem(code) : undefined,
    }),
    aliases: { currentPassword: 'password' },
    submit: async ({ password, code }) => {
      if (needsCode && !sent) return setSent(await sendOwnCode('account-deletion'))
      await deleteAccount(
        needsCode
          ? { verificationToken: await verifyOwnCode(account, 'account-deletion', code.trim()) }
          : { password },
      )
      modals.closeAll()
      forget('deleted')
      navigate('/login', { replace: true })
    },
  })
  const label = needsCode && !sent ? 'Send me a code' : 'Delete for good'
  return (
    <form ref={form} onSubmit={submit} noValidate>
      <Stack gap="md">
        <Text size="sm">
          Your account, all chats and everything made in them will be erased. This cannot be undone, and
          nobody can bring it back.
        </Text>
        <FormFailure message={failure} />
        {needsCode ? (
          sent && <CodeField {...field('code')} sent={sent} resend={() => sendOwnCode('account-deletion')} />
        ) : (
          <PasswordInput
            label="Your password"
            autoComplete="current-password"
            data-autofocus
            {...field('password')}
          />
        )}
        <Group justify="flex-end" gap="sm">
          <Button variant="default" onClick={onCancel}>
            Keep my account
          </Button>
          <Button type="submit" color="red" loading={isBusy}>
            {label}
          </Button>
        </Group>
      </Stack>
    </form>
  )
}
