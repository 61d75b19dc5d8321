import { useState } from 'react'
import { Route, Switch, useLocation } from 'wouter'
import type { SignedOutBecause } from '../../api/session.ts'
import { ForgotPasswordPage } from './forgot-password-page.tsx'
import { LogInPage } from './log-in-page.tsx'
import { ResetPasswordPage } from './reset-password-page.tsx'
import { SignUpPage } from './sign-up-page.tsx'

/** The addresses that these pages answer also while somebody is signed in: links from mails must always work. */
export const openAddresses: ReadonlySet<string> = new Set(['/forgot-password', '/reset-password'])

/** What a person who is not signed in sees: every other address waits behind the log-in. */
export function AccountPages({ because }: { because: SignedOutBecause | undefined }) {
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
      <Route>{() => <LogInPage notice={isPasswordSet ? passwordSet : because && notices[because]} />}</Route>
    </Switch>
  )
}

const passwordSet = 'Your new password is set. Log in with it.'

const notices: Readonly<Record<SignedOutBecause, string>> = {
  expired: 'Your session has ended. Log in to go on where you were.',
  deleted: 'Your account is deleted, with everything that was in it.',
}
