import { Tabs } from '@mantine/core'
import { useEffect, useState } from 'react'
import type { ListedArtifact } from '../../api/types.ts'
import classes from './artifacts.module.css'
import { BuildTab } from './build-tab.tsx'
import type { ChatSide } from './chat-side.ts'
import { CodeTab, type Place } from './code-tab.tsx'
import { FixRefused } from './fix-button.tsx'
import { kindOf } from './kinds.ts'
import { PreviewTab } from './preview-tab.tsx'
import { usePreview } from './queries.ts'
import { useFix } from './use-fix.ts'

type Tab = 'preview' | 'code' | 'build'

/** One version of an artifact: how it looks, what it is made of, and how its build went. */
export function ArtifactTabs({ artifact, chat }: { artifact: ListedArtifact; chat: ChatSide }) {
  const { id } = artifact
  const { canPreview } = kindOf(artifact)
  const [chosen, choose] = useState<Tab | null>(null)
  const [place, setPlace] = useState<Place | null>(null)
  const preview = usePreview(id, canPreview)
  const { model, obstacle, onTurn } = chat
  const fixing = useFix({ id, model, obstacle, onStarted: onTurn })
  // A block that was merged into something has little to show alone: one comes for what was written.
  const first = canPreview && artifact.consolidatedInto === null ? 'preview' : 'code'
  const tab = canPreview ? (chosen ?? first) : 'code'
  const problems = preview.data?.build?.errors?.length ?? 0
  const warnings = preview.data?.build?.warnings?.length ?? 0

  // A place belongs to one version: in another it would point at any line.
  // biome-ignore lint/correctness/useExhaustiveDependencies: another version is the reason
  useEffect(() => setPlace(null), [id])

  function showPlace(found: Place): void {
    setPlace(found)
    choose('code')
  }

  return (
    <>
      <FixRefused fixing={fixing} />
      <Tabs
        value={tab}
        onChange={value => choose(value as Tab)}
        className={classes.tabs ?? ''}
        classNames={{ panel: classes.tabPanel ?? '' }}
      >
        <Tabs.List px="sm">
          {canPreview && <Tabs.Tab value="preview">Preview</Tabs.Tab>}
          <Tabs.Tab value="code">Code</Tabs.Tab>
          {canPreview && (
            <Tabs.Tab value="build" rightSection={<Counts errors={problems} warnings={warnings} />}>
              Build
            </Tabs.Tab>
          )}
        </Tabs.List>
        {canPreview && (
          <Tabs.Panel value="preview">
            <PreviewTab
              key={id}
              preview={preview}
              fixing={fixing}
              onShowBuild={() => choose('build')}
              onPlace={showPlace}
            />
          </Tabs.Panel>
        )}
        <Tabs.Panel value="code">
          <CodeTab id={id} place={place} />
        </Tabs.Panel>
        {canPreview && (
          <Tabs.Panel value="build">
            <BuildTab preview={preview} fixing={fixing} onPlace={showPlace} />
          </Tabs.Panel>
        )}
      </Tabs>
    </>
  )
}

function Counts({ errors, warnings }: { errors: number; warnings: number }) {
  const count = errors || warnings
  if (count === 0) return null
  const noun = errors > 0 ? 'error' : 'warning'
  return (
    <span
      className={classes.count}
      data-level={noun}
      role="img"
      aria-label={`${count} ${noun}${count === 1 ? '' : 's'}`}
    >
      {count}
    </span>
  )
}
