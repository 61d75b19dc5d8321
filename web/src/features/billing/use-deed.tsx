import { type ReactNode, useState } from 'react'
import { ApiError } from '../../api/errors.ts'
import { FormFailure } from '../account/form-failure.tsx'

/** Does one thing at a time that somebody asked for by a button, and shows why it failed. */
export function useDeed() {
  const [busy, setBusy] = useState<string | null>(null)
  const [message, setMessage] = useState<string | undefined>(undefined)
  const failure: ReactNode = message ? <FormFailure message={message} /> : null
  async function run(name: string, work: () => Promise<void>): Promise<void> {
    setBusy(name)
    setMessage(undefined)
    try {
      await work()
    } catch (thrown) {
      setMessage(thrown instanceof ApiError ? thrown.message : 'That did not work. Please try again.')
    } finally {
      setBusy(null)
    }
  }
  return { run, busy, failure }
}
