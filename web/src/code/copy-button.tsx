import { ActionIcon, Tooltip } from '@mantine/core'
import { useClipboard } from '@mantine/hooks'
import { notifications } from '@mantine/notifications'
import { IconCheck, IconCopy } from '@tabler/icons-react'

/** Copies a text, and says that it did. */
export function CopyButton({ text, label = 'Copy' }: { text: string; label?: string }) {
  const clipboard = useClipboard({ timeout: 1_600 })

  async function copy(): Promise<void> {
    if (navigator.clipboard) return clipboard.copy(text)
    // Without https browsers offer no clipboard; the old way still works there.
    const area = document.createElement('textarea')
    area.value = text
    document.body.append(area)
    area.select()
    const isCopied = document.execCommand('copy')
    area.remove()
    notifications.show(
      isCopied ? { message: 'Copied.' } : { color: 'red', message: 'Your browser did not allow copying.' },
    )
  }

  return (
    <Tooltip label={clipboard.copied ? 'Copied' : label}>
      <ActionIcon size="sm" aria-label={clipboard.copied ? 'Copied' : label} onClick={() => void copy()}>
        {clipboard.copied ? <IconCheck size={16} /> : <IconCopy size={16} />}
      </ActionIcon>
    </Tooltip>
  )
}
