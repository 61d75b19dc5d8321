import type { Cache } from '../../platform/cache/index.ts'
import type { Database } from '../../platform/database/index.ts'
import type { EventLogs } from '../../platform/events/index.ts'
import type { Models } from '../../platform/models/index.ts'
import type { Queue } from '../../platform/queue/index.ts'
import type { Billing } from '../billing/index.ts'
import type { Keys } from '../keys/index.ts'
import type { Breakers } from './breakers.ts'
import type { Endings } from './endings.ts'
import type { ObserverFactory, Recipe } from './recipes.ts'
import type { Log } from './relay.ts'
import type { Run } from './run.ts'
import type { SharedLogs } from './shared-logs.ts'
import type { Deadlines } from './upstream.ts'

export interface GenerationsDeps {
  db: Database
  models: Models
  /** Who may begin a run, and what is reserved for it. */
  billing: Pick<Billing, 'dailyLimits' | 'explaining'>
  /** People's own provider keys, which pay instead. */
  keys: Pick<Keys, 'active' | 'open' | 'noteUse'>
  events: EventLogs
  queue: Queue
  /** Carries wishes to the process that runs a generation. */
  cache: Cache
  deadlines: Deadlines
  log: Log
  /** How long `close` lets running answers go on before it interrupts them, in milliseconds. */
  drainMs: number
}

/** What the operations of this feature share. */
export interface Engine extends GenerationsDeps {
  /** The name of this process among those that run generations. */
  self: string
  runs: Map<string, Run>
  recipes: Map<string, Recipe>
  observers: ObserverFactory[]
  breakers: Breakers
  endings: Endings
  sharedLogs: SharedLogs
  /** Told of answers that were found interrupted, with the text that was kept. */
  rescuers: Rescuer[]
  isClosing: boolean
}

/** An answer whose process died, with what was kept of it. */
export interface Rescued {
  generationId: string
  accountId: string
  conversationId: string | null
  messageId: string | null
  replyId: string | null
  prefix: string
  /** What this run had written. */
  text: string
}

/** Does what the observers of a run could not do any more. */
export type Rescuer = (rescued: Rescued) => Promise<void>
