import { Button, Group, PasswordInput, Stack } from '@mantine/core'
import { modals } from '@mantine/modals'
import { notifications } from '@mantine/notifications'
import { useState } from 'react'
import type { Account } from '../../api/types.ts'
import type { CodeSent } from '../account/calls.ts'
import { CodeField } from '../account/code-field.tsx'
import { FormFailure } from '../account/form-failure.tsx'
import { codeProblem, passwordProblem } from '../account/rules.ts'
import { useForm } from '../account/use-form.ts'
import { DeletionDialog } from './deletion-dialog.tsx'
import { changePassword, sendOwnCode, verifyOwnCode } from './queries.ts'
import { Section } from './section.tsx'
import { SessionList } from './session-list.tsx'

/** Password, devices, and the end of the account. */
export function SecurityPage({ account }: { account: Account }) {
  function askDeletion(): void {
    const modalId = modals.open({
      title: 'Delete your account?',
      children: <DeletionDialog account={account} onCancel={() => modals.close(modalId)} />,
    })
  }
  return (
    <>
      <Section
        title="Password"
        lead={
          account.hasPassword ? 'Changing it signs out all other devices.' : 'You sign in by code so far.'
        }
      >
        {account.hasPassword ? <ChangePasswordForm /> : <FirstPasswordForm account={account} />}
      </Section>
      <Section
        title="Devices"
        lead="Where you are signed in. End what you do not recognise, then change your password."
      >
        <SessionList />
      </Section>
      <Section
        title="Delete account"
        lead="Erases the account, its chats and everything made in them, for good."
        isDangerous
      >
        <Group>
          <Button color="red" variant="light" onClick={askDeletion}>
            Delete account…
          </Button>
        </Group>
      </Section>
    </>
  )
}

function ChangePasswordForm() {
  const { form, field, set, submit, isBusy, failure } = useForm({
    initial: { currentPassword: '', newPassword: '' },
    check: ({ currentPassword, newPassword }) => ({
      currentPassword: currentPassword ? undefined : 'Enter your current password.',
      newPassword: passwordProblem(newPassword),
    }),
    submit: async ({ currentPassword, newPassword }) => {
      await changePassword({ currentPassword }, newPassword)
      set('currentPassword', '')
      set('newPassword', '')
      notifications.show({ message: 'Your password is changed. All other devices are signed out.' })
    },
  })
  return (
    <form ref={form} onSubmit={submit} noValidate>
      <Stack gap="md">
        <FormFailure message={failure} />
        <PasswordInput
          label="Current password"
          autoComplete="current-password"
          {...field('currentPassword')}
        />
        <PasswordInput
          label="New password"
          description="At least 8 characters."
          autoComplete="new-password"
          {...field('newPassword')}
        />
        <Group>
          <Button type="submit" loading={isBusy}>
            Change password
          </Button>
        </Group>
      </Stack>
    </form>
  )
}

function FirstPasswordForm({ account }: { account: Account }) {
  const [sent, setSent] = useState<CodeSent | null>(null)
  const send = () => sendOwnCode('verification')
  const { form, field, submit, isBusy, failure } = useForm({
    initial: { code: '', newPassword: '' },
    check: ({ code, newPassword }) =>
      sent ? { code: codeProblem(code), newPassword: passwordProblem(newPassword) } : {},
    submit: async ({ code, newPassword }) => {
      if (!sent) return setSent(await send())
      const verificationToken = await verifyOwnCode(account, 'verification', code.trim())
      await changePassword({ verificationToken }, newPassword)
      notifications.show({ message: 'Your password is set.' })
    },
  })
  return (
    <form ref={form} onSubmit={submit} noValidate>
      <Stack gap="md">
        <FormFailure message={failure} />
        {sent && (
          <>
            <CodeField {...field('code')} sent={sent} resend={send} />
            <PasswordInput
              label="New password"
              description="At least 8 characters."
              autoComplete="new-password"
              {...field('newPassword')}
            />
          </>
        )}
        <Group>
          <Button type="submit" loading={isBusy}>
            {sent ? 'Set password' : 'Send me a code'}
          </Button>
        </Group>
      </Stack>
    </form>
  )
}
