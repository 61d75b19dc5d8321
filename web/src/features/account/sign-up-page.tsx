import { Anchor, Button, PasswordInput, Stack, TextInput } from '@mantine/core'
import { Link } from 'wouter'
import { AccountFrame } from './account-frame.tsx'
import { signUp } from './calls.ts'
import { FormFailure } from './form-failure.tsx'
import { emailProblem, passwordProblem } from './rules.ts'
import { useForm } from './use-form.ts'

/** Sign-up by e-mail and password. */
export function SignUpPage() {
  const { form, field, submit, isBusy, failure } = useForm({
    initial: { name: '', email: '', password: '' },
    check: values => ({ email: emailProblem(values.email), password: passwordProblem(values.password) }),
    submit: ({ name, email, password }) =>
      signUp({ email: email.trim(), password, ...(name.trim() ? { name: name.trim() } : {}) }),
  })
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
          <TextInput label="E-mail" type="email" autoComplete="email" inputMode="email" {...field('email')} />
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
