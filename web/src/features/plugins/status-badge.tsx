import { Badge } from '@mantine/core'
import type { Plugin } from './queries.ts'

const looks = {
  empty: { label: 'Empty', color: 'gray' },
  draft: { label: 'Draft', color: 'yellow' },
  final: { label: 'Final', color: 'viridian' },
} as const

/** How far a plugin is. */
export function StatusBadge({ status }: Pick<Plugin, 'status'>) {
  const { label, color } = looks[status]
  return (
    <Badge color={color} variant="light" radius="sm" style={{ flex: 'none' }}>
      {label}
    </Badge>
  )
}
