import type { Database } from '../../platform/database/index.ts'
import type { EventLogs } from '../../platform/events/index.ts'
import type { Models } from '../../platform/models/index.ts'
import type { Log } from './execute.ts'
import type { ObserverFactory, Recipe } from './recipes.ts'
import type { Run } from './run.ts'
import type { Deadlines } from './upstream.ts'

export interface GenerationsDeps {
  db: Database
  models: Models
  events: EventLogs
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
  isClosing: boolean
}
