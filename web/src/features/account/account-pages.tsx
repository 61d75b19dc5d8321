import { useState } from 'react'
import { Route, Switch, useLocation } from 'wouter'
import { ForgotPasswordPage } from './forgot-password-page.tsx'
import { LogInPage } from './log-in-page.tsx'
import { ResetPasswordPage } from './reset-password-page.tsx'
import { SignUpPage } from './sign-up-page.tsx'

/** The addresses that these pages answer also while somebody is signed in: links from mails must always work. */
export const openAddresses: ReadonlySet<string> = new Set(['/forgot-password', '/reset-password'])

/** What a person who is not signed in sees: every other address waits behind the log-in. */
export function AccountPages({ hasExpired }: { hasExpired: boolean }) {
  const [, navigate] = useLocation()
  const [isPasswordSet, setPasswordSet] = useState(false)

  function onPasswordSet(): void {
    setPasswordSet(true)
    navigate('/login', { replace: true })
  }

  return (
    <Switch>
      <Route path="/signup">{() => <SignUpPage />}</Route>
      <Route path="/forgot-password">{() => <ForgotPasswordPage onDone={onPasswordSet} />}</Route>
      <Route path="/reset-password">{() => <ResetPasswordPage onDone={onPasswordSet} />}</Route>
      <Route>{() => <LogInPage notice={noticeOf(isPasswordSet, hasExpired)} />}</Route>
    </Switch>
  )
}

function noticeOf(isPasswordSet: boolean, hasExpired: boolean): string | null {
  if (isPasswordSet) return 'Your new password is set. Log in with it.'
  return hasExpired ? 'Your session has ended. Log in to go on where you were.' : null
}
