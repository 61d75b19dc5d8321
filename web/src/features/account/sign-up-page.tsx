import { Anchor, Button, PasswordInput, Stack, TextInput } from '@mantine/core'
import { useState } from 'react'
import { Link } from 'wouter'
import { AccountFrame } from './account-frame.tsx'
import { type CodeSent, signUp } from './calls.ts'
import { FormFailure } from './form-failure.tsx'
import { addressProblem, passwordProblem, readAddress } from './rules.ts'
import { useForm } from './use-form.ts'
import { VerifyPage } from './verify-page.tsx'

/** Sign-up by address and password; where the server asks for it, the code follows. */
export function SignUpPage() {
  const [sent, setSent] = useState<CodeSent | null>(null)
  const { form, values, field, submit, isBusy, failure } = useForm({
    initial: { name: '', address: '', password: '' },
    aliases: { email: 'address', mobile: 'address' },
    check: ({ address, password }) => ({
      address: addressProblem(address),
      password: passwordProblem(password),
    }),
    submit: async ({ name, address, password }) => {
      const named = name.trim() ? { name: name.trim() } : {}
      setSent(await signUp({ ...readAddress(address), password, ...named }))
    },
  })
  if (sent) return <VerifyPage address={values.address.trim()} sent={sent} onBack={() => setSent(null)} />
  const lead = (
    <>
      Already have one?{' '}
      <Anchor component={Link} href="/login">
        Log in
      </Anchor>
    </>
  )
  return (
    <AccountFrame title="Create your account" lead={lead}>
      <form ref={form} onSubmit={submit} noValidate>
        <Stack gap="md">
          <FormFailure message={failure} />
          <TextInput label="Name" description="Optional" autoComplete="name" autoFocus {...field('name')} />
          <TextInput
            label="E-mail or mobile number"
            autoComplete="email"
            autoCapitalize="none"
            spellCheck={false}
            {...field('address')}
          />
          <PasswordInput
            label="Password"
            description="At least 8 characters. A sentence is a fine password."
            autoComplete="new-password"
            {...field('password')}
          />
          <Button type="submit" loading={isBusy} fullWidth mt="xs">
            Create account
          </Button>
        </Stack>
      </form>
    </AccountFrame>
  )
}
