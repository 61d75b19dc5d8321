import { Alert, Anchor, Button, PasswordInput, Stack, TextInput } from '@mantine/core'
import { Link } from 'wouter'
import { AccountFrame } from './account-frame.tsx'
import { logIn } from './calls.ts'
import { FormFailure } from './form-failure.tsx'
import { emailProblem } from './rules.ts'
import { useForm } from './use-form.ts'

/** Log-in by e-mail and password; afterwards the address that was asked for shows. */
export function LogInPage({ hasExpired }: { hasExpired: boolean }) {
  const { form, field, submit, isBusy, failure } = useForm({
    initial: { email: '', password: '' },
    check: values => ({
      email: emailProblem(values.email),
      password: values.password ? undefined : 'Enter your password.',
    }),
    submit: values => logIn({ email: values.email.trim(), password: values.password }),
  })
  const lead = (
    <>
      New here?{' '}
      <Anchor component={Link} href="/signup">
        Create an account
      </Anchor>
    </>
  )
  return (
    <AccountFrame title="Log in" lead={lead}>
      <form ref={form} onSubmit={submit} noValidate>
        <Stack gap="md">
          {hasExpired && !failure && (
            <Alert color="gray" variant="light" p="sm" role="status">
              Your session has ended. Log in to go on where you were.
            </Alert>
          )}
          <FormFailure message={failure} />
          <TextInput
            label="E-mail"
            type="email"
            autoComplete="username"
            inputMode="email"
            autoFocus
            {...field('email')}
          />
          <PasswordInput label="Password" autoComplete="current-password" {...field('password')} />
          <Button type="submit" loading={isBusy} fullWidth mt="xs">
            Log in
          </Button>
        </Stack>
      </form>
    </AccountFrame>
  )
}
