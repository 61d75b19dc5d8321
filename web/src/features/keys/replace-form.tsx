import { Button, PasswordInput, Stack, Text } from '@mantine/core'
import type { ProviderKey } from '../../api/types.ts'
import { FormFailure } from '../account/form-failure.tsx'
import { useForm } from '../account/use-form.ts'
import { changeKey } from './queries.ts'

/** Another key in the place of one; its name, settings and usage stay. */
export function ReplaceForm({ providerKey, onDone }: { providerKey: ProviderKey; onDone: () => void }) {
  const { form, field, submit, isBusy, failure } = useForm({
    initial: { apiKey: '' },
    check: ({ apiKey }) => ({ apiKey: apiKey.trim() ? undefined : 'Enter the new key.' }),
    submit: async ({ apiKey }) => {
      await changeKey(providerKey.id, { apiKey: apiKey.trim() })
      onDone()
    },
  })
  return (
    <form ref={form} onSubmit={submit} noValidate>
      <Stack gap="md">
        <Text size="sm">The old key is forgotten at once. Name, settings and usage stay.</Text>
        <FormFailure message={failure} />
        <PasswordInput
          label="New key"
          autoComplete="off"
          spellCheck={false}
          data-autofocus
          {...field('apiKey')}
        />
        <Button type="submit" loading={isBusy}>
          Replace key
        </Button>
      </Stack>
    </form>
  )
}
