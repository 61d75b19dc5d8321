import { Anchor, Button, Stack } from '@mantine/core'
import { useState } from 'react'
import { AccountFrame } from './account-frame.tsx'
import { AddressForm } from './address-form.tsx'
import { type CodeSent, logIn, sendCode } from './calls.ts'
import { CodeField } from './code-field.tsx'
import { FormFailure } from './form-failure.tsx'
import { codeProblem, readAddress } from './rules.ts'
import { useForm } from './use-form.ts'

interface CodeLogInPageProps {
  address: string
  onBack: () => void
}

/** Log-in by a code that is sent to the address: for accounts without a password, or when it is not at hand. */
export function CodeLogInPage({ address, onBack }: CodeLogInPageProps) {
  const [sentTo, setSentTo] = useState<{ address: string; sent: CodeSent } | null>(null)
  const lead = (
    <Anchor component="button" type="button" onClick={onBack}>
      Use a password instead
    </Anchor>
  )
  return (
    <AccountFrame title="Log in with a code" lead={lead}>
      {sentTo ? (
        <CodeForm {...sentTo} />
      ) : (
        <AddressForm
          initial={address}
          onSubmit={async typed => {
            setSentTo({ address: typed, sent: await sendCode(readAddress(typed), 'sign-in') })
          }}
        />
      )}
    </AccountFrame>
  )
}

function CodeForm({ address, sent }: { address: string; sent: CodeSent }) {
  const { form, field, submit, isBusy, failure } = useForm({
    initial: { code: '' },
    check: values => ({ code: codeProblem(values.code) }),
    submit: values => logIn({ ...readAddress(address), code: values.code.trim() }),
  })
  return (
    <form ref={form} onSubmit={submit} noValidate>
      <Stack gap="md">
        <FormFailure message={failure} />
        <CodeField {...field('code')} sent={sent} resend={() => sendCode(readAddress(address), 'sign-in')} />
        <Button type="submit" loading={isBusy} fullWidth mt="xs">
          Log in
        </Button>
      </Stack>
    </form>
  )
}
