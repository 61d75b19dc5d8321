import { Alert, Button, Group, Text, Tooltip } from '@mantine/core'
import { IconWand } from '@tabler/icons-react'
import { explain } from '../../api/errors.ts'
import { WayOut } from '../usage/way-out.tsx'
import type { RuntimeProblem } from './preview-messages.ts'
import type { Fixing } from './use-fix.ts'

interface FixButtonProps {
  fixing: Fixing
  /** What went wrong while it ran; absent when it does not build. */
  problems?: readonly RuntimeProblem[]
  size?: 'compact-xs' | 'compact-sm'
}

/** Hands an error back to the model. While that is not possible it says why, and keeps the focus. */
export function FixButton({ fixing, problems, size = 'compact-sm' }: FixButtonProps) {
  const { obstacle } = fixing
  return (
    <Tooltip label={obstacle ?? 'Ask the model to repair it'}>
      <Button
        size={size}
        leftSection={<IconWand size={15} aria-hidden />}
        {...(obstacle ? { 'data-disabled': true, 'aria-disabled': true } : {})}
        onClick={() => fixing.start(problems)}
      >
        Fix this
      </Button>
    </Tooltip>
  )
}

/** Says why a request for a fix was refused; nothing when none was. */
export function FixRefused({ fixing }: { fixing: Fixing }) {
  if (!fixing.error) return null
  return (
    <Alert
      color="red"
      variant="light"
      p="xs"
      m="sm"
      role="alert"
      withCloseButton
      closeButtonLabel="Dismiss"
      onClose={fixing.dismiss}
    >
      <Group gap="xs">
        <Text size="sm">{explain(fixing.error)}</Text>
        <WayOut error={fixing.error} />
      </Group>
    </Alert>
  )
}
