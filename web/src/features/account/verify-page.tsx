import { Anchor, Button, Stack } from '@mantine/core'
import { AccountFrame } from './account-frame.tsx'
import { type CodeSent, sendCode, verifySignUp } from './calls.ts'
import { CodeField } from './code-field.tsx'
import { FormFailure } from './form-failure.tsx'
import { codeProblem, readAddress } from './rules.ts'
import { useForm } from './use-form.ts'

interface VerifyPageProps {
  address: string
  sent: CodeSent
  onBack: () => void
}

/** The second step of a sign-up: the code that proves the address. */
export function VerifyPage({ address, sent, onBack }: VerifyPageProps) {
  const { form, field, submit, isBusy, failure } = useForm({
    initial: { code: '' },
    check: values => ({ code: codeProblem(values.code) }),
    submit: values => verifySignUp(readAddress(address), values.code.trim()),
  })
  const lead = (
    <>
      We sent a message to <strong>{address}</strong>.{' '}
      <Anchor component="button" type="button" onClick={onBack}>
        Not yours?
      </Anchor>
    </>
  )
  return (
    <AccountFrame title="Enter the code" lead={lead}>
      <form ref={form} onSubmit={submit} noValidate>
        <Stack gap="md">
          <FormFailure message={failure} />
          <CodeField
            {...field('code')}
            sent={sent}
            resend={() => sendCode(readAddress(address), 'sign-up')}
          />
          <Button type="submit" loading={isBusy} fullWidth mt="xs">
            Confirm
          </Button>
        </Stack>
      </form>
    </AccountFrame>
  )
}
