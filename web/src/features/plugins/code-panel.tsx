import { ActionIcon, Alert, Button, Loader, Menu, Tabs, Tooltip } from '@mantine/core'
import { notifications } from '@mantine/notifications'
import { IconDownload, IconFileCode, IconFileZip, IconX } from '@tabler/icons-react'
import { useEffect, useState } from 'react'
import { explain } from '../../api/errors.ts'
import { CopyButton } from '../../code/copy-button.tsx'
import artifacts from '../artifacts/artifacts.module.css'
import { CodeView, type Jump } from './code-view.tsx'
import { GrowingCode } from './growing-code.tsx'
import {
  downloadCode,
  downloadZip,
  type Plugin,
  type PluginVersion,
  useVersion,
  type VersionSummary,
} from './queries.ts'
import { ReportView } from './report-view.tsx'
import { VersionMenu } from './version-menu.tsx'

interface CodePanelProps {
  plugin: Plugin
  /** Newest first. */
  versions: readonly VersionSummary[]
  version: number | null
  /** The run whose code is shown as it is written, instead of a version. */
  growingId: string | null
  onChoose: (version: number) => void
  onClose: () => void
}

/** One version: its code with what was found in it, the report, the others, and downloads. */
export function CodePanel({ plugin, versions, version, growingId, onChoose, onClose }: CodePanelProps) {
  const found = useVersion(plugin.id, version)
  const shown = growingId === null ? found.data : undefined
  return (
    <div className={artifacts.panel}>
      <header className={artifacts.panelHeader}>
        <div className={artifacts.panelTitle}>
          {growingId === null ? (
            <VersionMenu versions={versions} version={version} onChoose={onChoose} />
          ) : (
            <h2>Being written…</h2>
          )}
        </div>
        {shown && <CopyButton text={shown.code} label="Copy code" />}
        {shown && <Downloads plugin={plugin} version={shown} />}
        <Tooltip label="Close">
          <ActionIcon aria-label="Close the code" onClick={onClose} data-autofocus>
            <IconX size={18} />
          </ActionIcon>
        </Tooltip>
      </header>
      {growingId !== null ? (
        <GrowingCode generationId={growingId} />
      ) : shown ? (
        <Version key={shown.version} version={shown} />
      ) : found.isError ? (
        <Alert color="red" variant="light" m="md" role="alert">
          {explain(found.error)}{' '}
          <Button size="compact-sm" variant="default" onClick={() => void found.refetch()}>
            Try again
          </Button>
        </Alert>
      ) : (
        <Loader m="lg" size="sm" aria-label="Loading the code" />
      )}
    </div>
  )
}

function Version({ version }: { version: PluginVersion }) {
  const { report } = version
  const [tab, setTab] = useState<string | null>('code')
  const [jump, setJump] = useState<Jump | null>(null)
  const count = report.findings.length
  // A jump is made once: coming back to the code later must not move it again.
  useEffect(() => {
    if (tab !== 'code') setJump(null)
  }, [tab])
  return (
    <Tabs
      value={tab}
      onChange={setTab}
      className={artifacts.tabs ?? ''}
      classNames={{ panel: artifacts.tabPanel ?? '' }}
    >
      <Tabs.List px="sm">
        <Tabs.Tab value="code">Code</Tabs.Tab>
        <Tabs.Tab
          value="report"
          rightSection={
            count > 0 && (
              <span
                className={artifacts.count}
                style={report.errors === 0 ? { background: 'var(--warning)' } : {}}
                role="img"
                aria-label={`${count} found`}
              >
                {count}
              </span>
            )
          }
        >
          Report
        </Tabs.Tab>
      </Tabs.List>
      <Tabs.Panel value="code">
        <CodeView code={version.code} findings={report.findings} jump={jump} />
      </Tabs.Panel>
      <Tabs.Panel value="report">
        <ReportView
          version={version}
          onLine={line => {
            setTab('code')
            setJump({ line })
          }}
        />
      </Tabs.Panel>
    </Tabs>
  )
}

function Downloads({ plugin, version }: { plugin: Plugin; version: PluginVersion }) {
  const [isBusy, setBusy] = useState(false)

  async function zip(): Promise<void> {
    setBusy(true)
    try {
      await downloadZip(plugin, version.version)
    } catch (thrown) {
      notifications.show({ color: 'red', title: 'Not downloaded', message: explain(thrown) })
    }
    setBusy(false)
  }

  return (
    <Menu position="bottom-end" width={250}>
      <Menu.Target>
        <Tooltip label="Download">
          <ActionIcon aria-label="Download" loading={isBusy}>
            <IconDownload size={18} />
          </ActionIcon>
        </Tooltip>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Item leftSection={<IconFileZip size={16} />} onClick={() => void zip()}>
          Zip for “Upload plugin”
        </Menu.Item>
        <Menu.Item
          leftSection={<IconFileCode size={16} />}
          onClick={() => downloadCode(plugin, version.code)}
        >
          PHP file
        </Menu.Item>
        {!version.isFinal && (
          <Menu.Label>
            {version.errors > 0 ? 'The checks found errors in this version.' : 'This version is not final.'}
          </Menu.Label>
        )}
      </Menu.Dropdown>
    </Menu>
  )
}
