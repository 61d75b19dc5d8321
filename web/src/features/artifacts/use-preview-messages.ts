import { type RefObject, useCallback, useEffect, useState } from 'react'
import { type PreviewMessage, readPreviewMessage } from './preview-messages.ts'

const most = 200

/** What the preview in a frame has said since it was loaded; only that frame is listened to. */
export function usePreviewMessages(frame: RefObject<HTMLIFrameElement | null>) {
  const [entries, setEntries] = useState<readonly PreviewMessage[]>([])

  useEffect(() => {
    let count = 0
    function onMessage(event: MessageEvent): void {
      // The frame has an opaque origin, so the window itself is what can be trusted.
      if (!frame.current || event.source !== frame.current.contentWindow) return
      const message = readPreviewMessage(event.data, count)
      if (!message) return
      count += 1
      setEntries(current => [...current, message].slice(-most))
    }
    addEventListener('message', onMessage)
    return () => removeEventListener('message', onMessage)
  }, [frame])

  const clear = useCallback(() => setEntries([]), [])
  return { entries, clear }
}
