/** How many frames a socket may send: a steady rate, and a burst above it. */
export interface FrameRate {
  perSecond: number
  burst: number
}

/** Counts frames; the returned function says whether one more is within the rate. */
export function createFrameMeter({ perSecond, burst }: FrameRate): () => boolean {
  let left = burst
  let countedAt = performance.now()
  return () => {
    const now = performance.now()
    left = Math.min(burst, left + ((now - countedAt) / 1000) * perSecond)
    countedAt = now
    if (left < 1) return false
    left -= 1
    return true
  }
}
