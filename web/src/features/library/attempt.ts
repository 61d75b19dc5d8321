import { notifications } from '@mantine/notifications'
import { explain } from '../../api/errors.ts'

/** Does something and says what went wrong; false then. */
export async function attempt(work: () => Promise<unknown>): Promise<boolean> {
  try {
    await work()
    return true
  } catch (thrown) {
    notifications.show({ color: 'red', message: explain(thrown) })
    return false
  }
}
