import { Menu, UnstyledButton } from '@mantine/core'
import { IconCheck, IconChevronDown } from '@tabler/icons-react'
import artifacts from '../artifacts/artifacts.module.css'
import { ago } from '../settings/times.ts'
import type { VersionSummary } from './queries.ts'
import { countsOf } from './words.ts'

interface VersionMenuProps {
  /** Newest first. */
  versions: readonly VersionSummary[]
  version: number | null
  onChoose: (version: number) => void
}

/** Which version is shown, and the way to the others. */
export function VersionMenu({ versions, version, onChoose }: VersionMenuProps) {
  const shown = versions.find(one => one.version === version)
  return (
    <Menu position="bottom-start" width={330}>
      <Menu.Target>
        <UnstyledButton className={artifacts.others} aria-label={`Version ${version}, choose another`}>
          <h2>
            Version {version}
            {shown?.isFinal && ' · final'}
          </h2>
          <IconChevronDown size={15} aria-hidden />
        </UnstyledButton>
      </Menu.Target>
      <Menu.Dropdown mah={380} style={{ overflowY: 'auto' }}>
        <Menu.Label>Versions</Menu.Label>
        {versions.map(one => (
          <Menu.Item
            key={one.version}
            rightSection={one.version === version && <IconCheck size={15} aria-label="Shown now" />}
            onClick={() => onChoose(one.version)}
          >
            Version {one.version}
            {one.isFinal && ', final'}
            <br />
            <span className={artifacts.cardKind}>
              {countsOf(one)} · {one.origin === 'client' ? 'over the API' : 'by the model'} ·{' '}
              {ago(one.createdAt)}
            </span>
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  )
}
