import { Alert, Button, Loader, Tabs } from '@mantine/core'
import { useState } from 'react'
import { explain } from '../../api/errors.ts'
import type { ArtifactSummary } from '../../api/types.ts'
import classes from './artifacts.module.css'
import { BuildTab } from './build-tab.tsx'
import { CodeTab } from './code-tab.tsx'
import { kindOf } from './kinds.ts'
import { PanelHeader } from './panel-header.tsx'
import { PreviewTab } from './preview-tab.tsx'
import { useArtifact, usePreview } from './queries.ts'

interface ArtifactPanelProps {
  id: string
  /** Everything made in this chat, oldest first. */
  artifacts: readonly ArtifactSummary[]
  onOpen: (id: string) => void
  onClose: () => void
  /** Sends a message that asks for a repair; null while that is not possible. */
  onFix: ((message: string) => void) | null
}

type Tab = 'preview' | 'code' | 'build'

/** One artifact: how it looks, what it is made of, and how its build went. */
export default function ArtifactPanel({ id, artifacts, onOpen, onClose, onFix }: ArtifactPanelProps) {
  const artifact = useArtifact(id)
  const known = artifact.data ?? artifacts.find(candidate => candidate.id === id)
  const canPreview = known ? kindOf(known).canPreview : false
  const [chosen, choose] = useState<Tab | null>(null)
  const preview = usePreview(id, canPreview)
  const tab = chosen ?? (canPreview ? 'preview' : 'code')
  const problems = preview.data?.build?.errors?.length ?? 0

  return (
    <div className={classes.panel}>
      <PanelHeader id={id} known={known} artifacts={artifacts} onOpen={onOpen} onClose={onClose} />
      {artifact.isError && !known ? (
        <Alert color="red" variant="light" m="md" role="alert">
          {explain(artifact.error)}
          <Button size="compact-sm" variant="default" mt="sm" onClick={() => void artifact.refetch()}>
            Try again
          </Button>
        </Alert>
      ) : !known ? (
        <Loader m="lg" size="sm" aria-label="Loading" />
      ) : (
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
              <Tabs.Tab
                value="build"
                rightSection={
                  problems > 0 && (
                    <span className={classes.count} role="img" aria-label={`${problems} errors`}>
                      {problems}
                    </span>
                  )
                }
              >
                Build
              </Tabs.Tab>
            )}
          </Tabs.List>
          {canPreview && (
            <Tabs.Panel value="preview">
              <PreviewTab
                title={known.title}
                preview={preview}
                onShowBuild={() => choose('build')}
                onFix={onFix}
              />
            </Tabs.Panel>
          )}
          <Tabs.Panel value="code">
            <CodeTab id={id} />
          </Tabs.Panel>
          {canPreview && (
            <Tabs.Panel value="build">
              <BuildTab title={known.title} preview={preview} onFix={onFix} />
            </Tabs.Panel>
          )}
        </Tabs>
      )}
    </div>
  )
}
