import { useNetwork } from '@mantine/hooks'
import { IconWifiOff } from '@tabler/icons-react'
import classes from './shell.module.css'

/** A strip that says so while the browser has no network. */
export function ConnectionNotice() {
  const { online } = useNetwork()
  return (
    <div role="status" aria-live="polite">
      {!online && (
        <div className={classes.notice}>
          <IconWifiOff size={16} aria-hidden />
          You are offline. What you see stays; sending works again when the connection is back.
        </div>
      )}
    </div>
  )
}
