import { type FormEvent, useRef, useState } from 'react'
import { ApiError, explain } from '../../api/errors.ts'

interface FormOptions<Values> {
  initial: Values
  /** The problem of each field that can be seen without asking the server. */
  check?: (values: Values) => Partial<Record<keyof Values, string | undefined>>
  submit: (values: Values) => Promise<void>
  /** The field that shows a problem which the server reports under another name. */
  aliases?: Readonly<Record<string, keyof Values & string>>
}

/**
 * A small form: values, one problem per field (ours at submit, then the server's), a problem of the whole, and focus
 * on the first wrong field.
 */
export function useForm<Values extends Record<string, string>>(options: FormOptions<Values>) {
  const [values, setValues] = useState(options.initial)
  const [problems, setProblems] = useState<Readonly<Record<string, string>>>({})
  const [failure, setFailure] = useState<string | null>(null)
  const [isBusy, setBusy] = useState(false)
  const form = useRef<HTMLFormElement>(null)

  function show(found: Record<string, string>): void {
    setProblems(found)
    const [first] = Object.keys(found)
    if (first)
      requestAnimationFrame(() => form.current?.querySelector<HTMLElement>(`[name="${first}"]`)?.focus())
  }

  async function submit(event: FormEvent): Promise<void> {
    event.preventDefault()
    if (isBusy) return
    setFailure(null)
    const found = cleaned(options.check?.(values) ?? {})
    show(found)
    if (Object.keys(found).length > 0) return
    setBusy(true)
    try {
      await options.submit(values)
    } catch (thrown) {
      const known = thrown instanceof ApiError ? problemsOf(thrown, values, options.aliases) : {}
      show(known)
      if (Object.keys(known).length === 0) setFailure(explain(thrown))
    } finally {
      setBusy(false)
    }
  }

  function field(name: keyof Values & string) {
    return {
      name,
      value: values[name],
      error: problems[name] ?? null,
      onChange: (event: { currentTarget: { value: string } }) => set(name, event.currentTarget.value),
    }
  }

  function set(name: keyof Values & string, value: string): void {
    setValues(current => ({ ...current, [name]: value }))
    setProblems(({ [name]: _, ...others }) => others)
  }

  return { form, values, set, field, submit, isBusy, failure, setFailure }
}

function cleaned(found: Partial<Record<string, string | undefined>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(found).filter((entry): entry is [string, string] => Boolean(entry[1])),
  )
}

/** Codes that mean one certain field, with words that say more than the server's rule. */
const meanings: Readonly<Record<string, { field: string; message?: string }>> = {
  INVALID_CODE: { field: 'code', message: 'This code is wrong or no longer valid.' },
  INVALID_PASSWORD: { field: 'currentPassword', message: 'This is not your password.' },
  EMAIL_TAKEN: { field: 'email', message: 'This address has an account already.' },
  MOBILE_TAKEN: { field: 'mobile', message: 'This number has an account already.' },
  USERNAME_TAKEN: { field: 'username', message: 'This username is taken.' },
}

function problemsOf(
  error: ApiError,
  values: Record<string, string>,
  aliases: Readonly<Record<string, string>> = {},
): Record<string, string> {
  const problems: Record<string, string> = {}
  const meaning = meanings[error.code]
  const named = Object.entries(error.fields)
  if (named.length === 0 && meaning) named.push([meaning.field, error.message])
  for (const [name, message] of named) {
    const field = aliases[name] ?? name
    if (field in values) problems[field] ??= meaning?.message ?? message
  }
  return problems
}
