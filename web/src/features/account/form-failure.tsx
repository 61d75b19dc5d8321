import { Alert } from '@mantine/core'
import { IconAlertCircle } from '@tabler/icons-react'
import classes from './account.module.css'

/** What is wrong with the whole of a form; heard at once by screen readers. */
export function FormFailure({ message }: { message: string | null }) {
  return (
    <div role="alert" className={classes.failure}>
      {message && (
        <Alert color="red" variant="light" icon={<IconAlertCircle size={18} />} p="sm">
          {message}
        </Alert>
      )}
    </div>
  )
}
