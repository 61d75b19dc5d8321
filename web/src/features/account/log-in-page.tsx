import { Alert, Anchor, Button, PasswordInput, Stack, TextInput } from '@mantine/core'
import { useState } from 'react'
import { Link } from 'wouter'
import { ApiError } from '../../api/errors.ts'
import classes from './account.module.css'
import { AccountFrame } from './account-frame.tsx'
import { type CodeSent, logIn, sendCode } from './calls.ts'
import { CodeLogInPage } from './code-log-in-page.tsx'
import { FormFailure } from './form-failure.tsx'
import { addressProblem, readAddress } from './rules.ts'
import { useForm } from './use-form.ts'
import { VerifyPage } from './verify-page.tsx'

const unverified = new Set(['EMAIL_NOT_VERIFIED', 'MOBILE_NOT_VERIFIED'])

/** Log-in by password or code; afterwards the address that was asked for shows. */
export function LogInPage({ notice }: { notice: string | undefined }) {
  const [sent, setSent] = useState<CodeSent | null>(null)
  const [isByCode, setByCode] = useState(false)
  const { form, values, field, submit, isBusy, failure } = useForm({
    initial: { address: '', password: '' },
    aliases: { email: 'address', mobile: 'address' },
    check: ({ address, password }) => ({
      address: addressProblem(address),
      password: password ? undefined : 'Enter your password.',
    }),
    submit: async ({ address, password }) => {
      try {
        await logIn({ ...readAddress(address), password })
      } catch (thrown) {
        if (!(thrown instanceof ApiError) || !unverified.has(thrown.code)) throw thrown
        setSent(await sendCode(readAddress(address), 'sign-up'))
      }
    },
  })
  if (sent) return <VerifyPage address={values.address.trim()} sent={sent} onBack={() => setSent(null)} />
  if (isByCode) return <CodeLogInPage address={values.address} onBack={() => setByCode(false)} />
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
          {notice && !failure && (
            <Alert color="gray" variant="light" p="sm" role="status">
              {notice}
            </Alert>
          )}
          <FormFailure message={failure} />
          <TextInput
            label="E-mail or mobile number"
            autoComplete="username"
            autoCapitalize="none"
            spellCheck={false}
            autoFocus
            {...field('address')}
          />
          <PasswordInput label="Password" autoComplete="current-password" {...field('password')} />
          <Button type="submit" loading={isBusy} fullWidth mt="xs">
            Log in
          </Button>
          <div className={classes.row}>
            <Anchor component="button" type="button" size="sm" onClick={() => setByCode(true)}>
              Use a code instead
            </Anchor>
            <Anchor component={Link} href="/forgot-password" size="sm">
              Forgot your password?
            </Anchor>
          </div>
        </Stack>
      </form>
    </AccountFrame>
  )
}
