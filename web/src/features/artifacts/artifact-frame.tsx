import { Modal } from '@mantine/core'
import { type CSSProperties, type ReactNode, useRef } from 'react'
import classes from './artifacts.module.css'
import { Resizer, usePanelWidth } from './resizer.tsx'

interface ArtifactFrameProps {
  isWide: boolean
  panel: ReactNode | null
  /** What readers hear that the panel is. */
  label?: string
  onClose: () => void
  children: ReactNode
}

/** A page with a panel at its side: resizable where there is room, over the whole screen where there is not. */
export function ArtifactFrame(props: ArtifactFrameProps) {
  const { isWide, panel, label = 'Artifact', onClose, children } = props
  const frame = useRef<HTMLDivElement>(null)
  const [width, setWidth] = usePanelWidth()
  const isBeside = isWide && panel !== null
  return (
    <div ref={frame} className={classes.frame} style={{ '--panel-width': `${width}%` } as CSSProperties}>
      {children}
      {isBeside && <Resizer frame={frame} width={width} onWidth={setWidth} />}
      {isBeside && (
        <aside className={classes.aside} aria-label={label}>
          {panel}
        </aside>
      )}
      <Modal.Root
        opened={!isWide && panel !== null}
        onClose={onClose}
        fullScreen
        padding={0}
        radius={0}
        transitionProps={{ transition: 'slide-up', duration: 160 }}
      >
        <Modal.Content aria-label={label}>
          <Modal.Body className={classes.modal ?? ''}>{!isWide && panel}</Modal.Body>
        </Modal.Content>
      </Modal.Root>
    </div>
  )
}
