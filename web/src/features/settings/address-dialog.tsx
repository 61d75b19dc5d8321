import { Button, PasswordInput, Stack, Text, TextInput } from '@mantine/core'
import { notifications } from '@mantine/notifications'
import { useState } from 'react'
import type { Account } from '../../api/types.ts'
import type { CodeSent } from '../account/calls.ts'
import { CodeField } from '../account/code-field.tsx'
import { FormFailure } from '../account/form-failure.tsx'
import { type Address, codeProblem, emailProblem, mobileProblem } from '../account/rules.ts'
import { useForm } from '../account/use-form.ts'
import { changeAddress, sendOwnCode } from './queries.ts'

interface AddressDialogProps {
  kind: 'email' | 'mobile'
  account: Account
  /** The address to verify, where it is not to be changed. */
  verified?: string | undefined
  onDone: () => void
}

/** A new address, or a proof of the one there is, in two steps: where, then the code that was sent there. */
export function AddressDialog({ kind, account, verified, onDone }: AddressDialogProps) {
  const [step, setStep] = useState<{ address: Address; sent: CodeSent } | null>(null)
  if (step) {
    const typed = 'email' in step.address ? step.address.email : step.address.mobile
    return <ConfirmStep {...step} account={account} isSame={typed === verified} onDone={onDone} />
  }
  return (
    <AddressStep
      kind={kind}
      initial={verified ?? ''}
      onSubmit={async address => setStep({ address, sent: await sendOwnCode('address-change', address) })}
    />
  )
}

interface AddressStepProps {
  kind: 'email' | 'mobile'
  initial: string
  onSubmit: (address: Address) => Promise<void>
}

function AddressStep({ kind, initial, onSubmit }: AddressStepProps) {
  const isEmail = kind === 'email'
  const { form, field, submit, isBusy, failure } = useForm({
    initial: { address: initial },
    aliases: { email: 'address', mobile: 'address' },
    check: ({ address }) => ({ address: isEmail ? emailProblem(address) : mobileProblem(address) }),
    submit: ({ address }) => onSubmit(isEmail ? { email: address.trim() } : { mobile: address.trim() }),
  })
  return (
    <form ref={form} onSubmit={submit} noValidate>
      <Stack gap="md">
        <FormFailure message={failure} />
        <TextInput
          label={`${initial ? '' : 'New '}${isEmail ? 'e-mail address' : 'mobile number'}`.replace(
            /^./,
            first => first.toUpperCase(),
          )}
          type={isEmail ? 'email' : 'tel'}
          autoComplete={isEmail ? 'email' : 'tel'}
          data-autofocus
          {...field('address')}
        />
        <Button type="submit" loading={isBusy}>
          Send a code there
        </Button>
      </Stack>
    </form>
  )
}

interface ConfirmStepProps {
  address: Address
  sent: CodeSent
  account: Account
  /** Whether the account has this address already. */
  isSame: boolean
  onDone: () => void
}

function ConfirmStep({ address, sent, account, isSame, onDone }: ConfirmStepProps) {
  const { form, field, submit, isBusy, failure } = useForm({
    initial: { code: '', currentPassword: '' },
    check: ({ code, currentPassword }) => ({
      code: codeProblem(code),
      currentPassword: account.hasPassword && !currentPassword ? 'Enter your password.' : undefined,
    }),
    submit: async ({ code, currentPassword }) => {
      const password = account.hasPassword ? { currentPassword } : {}
      await changeAddress(address, { code: code.trim(), ...password })
      notifications.show({ message: `Your address is ${isSame ? 'verified' : 'changed'}.` })
      onDone()
    },
  })
  return (
    <form ref={form} onSubmit={submit} noValidate>
      <Stack gap="md">
        <FormFailure message={failure} />
        <Text size="sm">
          We sent a code to <strong>{'email' in address ? address.email : address.mobile}</strong>.
        </Text>
        <CodeField {...field('code')} sent={sent} resend={() => sendOwnCode('address-change', address)} />
        {account.hasPassword && (
          <PasswordInput
            label="Current password"
            autoComplete="current-password"
            {...field('currentPassword')}
          />
        )}
        <Button type="submit" loading={isBusy}>
          {isSame ? 'Verify address' : 'Change address'}
        </Button>
      </Stack>
    </form>
  )
}
