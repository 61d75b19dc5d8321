import { Route, Switch } from 'wouter'
import { LogInPage } from './log-in-page.tsx'
import { SignUpPage } from './sign-up-page.tsx'

/** What a person who is not signed in sees: every other address waits behind the log-in. */
export function AccountPages({ hasExpired }: { hasExpired: boolean }) {
  return (
    <Switch>
      <Route path="/signup">{() => <SignUpPage />}</Route>
      <Route>{() => <LogInPage hasExpired={hasExpired} />}</Route>
    </Switch>
  )
}
