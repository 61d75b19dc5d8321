/** What a socket may send: a steady rate of frames, and a burst above it. Long frames count as several. */
export interface FrameRate {
  perSecond: number
  burst: number
}

const lengthPerFrame = 8192

/** Counts frames; the returned function takes a frame's length and says whether it is still within the rate. */
export function createFrameMeter({ perSecond, burst }: FrameRate): (length: number) => boolean {
  let left = burst
  let countedAt = performance.now()
  return length => {
    const now = performance.now()
    left = Math.min(burst, left + ((now - countedAt) / 1000) * perSecond)
    countedAt = now
    left -= 1 + length / lengthPerFrame
    return left >= 0
  }
}
