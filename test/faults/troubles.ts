import type { Script } from '../provider/index.ts'

/** What goes wrong at the provider or at the client, and how the generation must end. */
export interface Trouble {
  name: string
  script: Script
  status: 'failed' | 'interrupted' | 'cancelled' | 'completed'
  code: string | null
  /** How often the provider is asked while a client waits, and for a job: one call for each of three attempts. */
  calls: number
  jobCalls?: number
  /** What the client does in the middle. */
  act?: 'cancel' | 'leave'
}

const failed = { status: 'failed', calls: 1 } as const
const again = { status: 'failed', calls: 4, jobCalls: 3 } as const
const interrupted = { status: 'interrupted', calls: 1, jobCalls: 3 } as const
const slow = { intervalMs: 30 }
const slower = { intervalMs: 60 }

/** Fifteen faults of providers, and two things that clients do. */
export const troubles: readonly Trouble[] = [
  {
    ...again,
    name: '429 with Retry-After',
    script: { status: 429, headers: { 'retry-after': '1' }, error: { message: 'slow down' } },
    code: 'PROVIDER_RATE_LIMITED',
  },
  { ...again, name: '500', script: { status: 500 }, code: 'PROVIDER_ERROR' },
  { ...failed, name: '401', script: { status: 401 }, code: 'PROVIDER_KEY_REFUSED', jobCalls: 3 },
  { ...again, name: 'no answer', script: { fault: 'stall' }, code: 'PROVIDER_TIMEOUT' },
  {
    ...again,
    name: 'reset before the answer',
    script: { fault: 'cut-rst', faultAfter: -1 },
    code: 'PROVIDER_ERROR',
  },
  { ...again, name: 'redirect', script: { fault: 'redirect' }, code: 'PROVIDER_BAD_RESPONSE' },
  {
    ...failed,
    name: 'prompt blocked',
    script: { fault: 'prompt-blocked', faultAfter: 0 },
    code: 'CONTENT_FILTERED',
  },
  { ...again, name: 'HTML', script: { fault: 'wrong-type' }, code: 'PROVIDER_BAD_RESPONSE' },
  {
    ...interrupted,
    name: 'end in the middle',
    script: { ...slow, fault: 'cut-fin', faultAfter: 6 },
    code: 'PROVIDER_CUT',
  },
  {
    ...interrupted,
    name: 'reset in the middle',
    script: { ...slow, fault: 'cut-rst', faultAfter: 6 },
    code: 'PROVIDER_CUT',
  },
  {
    ...interrupted,
    name: 'silence in the middle',
    script: { ...slow, fault: 'stall-middle', faultAfter: 6 },
    code: 'PROVIDER_TIMEOUT',
  },
  {
    ...interrupted,
    name: 'an error in the stream',
    script: { ...slow, fault: 'in-band-error', faultAfter: 6 },
    code: 'PROVIDER_ERROR',
  },
  {
    ...interrupted,
    name: 'garbage',
    script: { ...slow, fault: 'garbage', faultAfter: 6 },
    code: 'PROVIDER_BAD_RESPONSE',
  },
  { ...interrupted, name: 'no finish reason', script: { ...slow, finish: 'none' }, code: 'PROVIDER_CUT' },
  {
    ...interrupted,
    name: 'an answer that never ends',
    script: { intervalMs: 500 },
    code: 'PROVIDER_TIMEOUT',
  },
  { name: 'a cancel', script: slower, status: 'cancelled', code: null, calls: 1, act: 'cancel' },
  { name: 'a client that leaves', script: slower, status: 'cancelled', code: null, calls: 1, act: 'leave' },
]
