import { Button, Stack, TextInput } from '@mantine/core'
import { FormFailure } from './form-failure.tsx'
import { addressProblem } from './rules.ts'
import { useForm } from './use-form.ts'

interface AddressFormProps {
  initial: string
  /** Called with an address that could be one; what it throws is shown here. */
  onSubmit: (address: string) => Promise<void>
}

/** Asks where to send a code. */
export function AddressForm({ initial, onSubmit }: AddressFormProps) {
  const { form, field, submit, isBusy, failure } = useForm({
    initial: { address: initial },
    aliases: { email: 'address', mobile: 'address' },
    check: ({ address }) => ({ address: addressProblem(address) }),
    submit: ({ address }) => onSubmit(address.trim()),
  })
  return (
    <form ref={form} onSubmit={submit} noValidate>
      <Stack gap="md">
        <FormFailure message={failure} />
        <TextInput
          label="E-mail or mobile number"
          autoComplete="username"
          autoCapitalize="none"
          spellCheck={false}
          autoFocus
          {...field('address')}
        />
        <Button type="submit" loading={isBusy} fullWidth mt="xs">
          Send a code
        </Button>
      </Stack>
    </form>
  )
}
