import { Button, PasswordInput, Select, Stack, Switch, TextInput } from '@mantine/core'
import { useState } from 'react'
import { FormFailure } from '../account/form-failure.tsx'
import { useForm } from '../account/use-form.ts'
import { namesIn, providerLabel, providers } from './providers.ts'
import { addKey } from './queries.ts'

/** A new key. What is typed goes to the server once, and is not kept here. */
export function KeyForm({ onDone }: { onDone: () => void }) {
  const [fallbackToCredits, setFallback] = useState(false)
  const { form, values, set, field, submit, isBusy, failure } = useForm({
    initial: { provider: 'openai', name: '', apiKey: '', baseUrl: '', models: '' },
    check: ({ provider, apiKey, baseUrl }) => ({
      apiKey: apiKey.trim() || provider === 'custom' ? undefined : 'Enter the key.',
      baseUrl: baseUrl.trim() || provider !== 'custom' ? undefined : 'Enter where the server answers.',
    }),
    submit: async ({ provider, name, apiKey, baseUrl, models }) => {
      const isCustom = provider === 'custom'
      await addKey(provider, {
        fallbackToCredits,
        ...(name.trim() ? { name: name.trim() } : {}),
        ...(apiKey.trim() ? { apiKey: apiKey.trim() } : {}),
        ...(isCustom ? { baseUrl: baseUrl.trim(), models: namesIn(models) } : {}),
      })
      onDone()
    },
  })
  const isCustom = values.provider === 'custom'
  return (
    <form ref={form} onSubmit={submit} noValidate>
      <Stack gap="md">
        <FormFailure message={failure} />
        <Select
          label="Provider"
          data={[...providers]}
          value={values.provider}
          onChange={value => set('provider', value ?? 'openai')}
          allowDeselect={false}
          openOnFocus={false}
          data-autofocus
        />
        {isCustom && (
          <TextInput
            label="Base URL"
            description="What comes before /chat/completions."
            placeholder="https://llama.example.com/v1"
            type="url"
            spellCheck={false}
            {...field('baseUrl')}
          />
        )}
        <PasswordInput
          label="Key"
          description={isCustom ? 'If the server wants one.' : 'It is sealed, and never shown again.'}
          autoComplete="off"
          spellCheck={false}
          {...field('apiKey')}
        />
        {isCustom && (
          <TextInput
            label="Models"
            description="Their names, separated by commas. Left empty, a test asks the server."
            placeholder="llama3.2"
            spellCheck={false}
            {...field('models')}
          />
        )}
        <TextInput
          label="Name"
          placeholder={providerLabel(values.provider)}
          maxLength={100}
          {...field('name')}
        />
        <Switch
          label="Use credits when the provider refuses this key"
          checked={fallbackToCredits}
          onChange={event => setFallback(event.currentTarget.checked)}
        />
        <Button type="submit" loading={isBusy}>
          Add key
        </Button>
      </Stack>
    </form>
  )
}
