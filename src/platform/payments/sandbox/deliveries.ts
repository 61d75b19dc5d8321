import type { Database } from '../../database/index.ts'
import { signBody } from '../signature.ts'
import { claimEvent, dropEvent, nextEventMs } from './store.ts'

export interface DeliveriesDeps {
  db: Database
  secret: string
  report: (error: unknown) => void
}

/** Brings the sandbox provider's events to our own endpoint, signed, over HTTP, in order, again and again until they are taken. */
export class Deliveries {
  readonly #deps: DeliveriesDeps
  #url: string | null = null
  #timer: NodeJS.Timeout | undefined
  #current: Promise<void> = Promise.resolve()
  #isClosed = false

  constructor(deps: DeliveriesDeps) {
    this.#deps = deps
  }

  /** From now on events go to this URL, those of earlier processes first. */
  start(url: string): void {
    this.#url = url
    void this.flush()
  }

  /** Delivers what is due; resolves when nothing is due any more. */
  flush(): Promise<void> {
    this.#current = this.#current.then(() => this.#deliverDue()).catch(this.#deps.report)
    return this.#current
  }

  async #deliverDue(): Promise<void> {
    if (this.#isClosed || this.#url === null) return
    clearTimeout(this.#timer)
    const { db } = this.#deps
    for (let event = await claimEvent(db); event && !this.#isClosed; event = await claimEvent(db)) {
      if (await this.#deliver(this.#url, event.body)) await dropEvent(db, event.id)
    }
    const ms = await nextEventMs(db)
    if (ms === null || this.#isClosed) return
    this.#timer = setTimeout(() => void this.flush(), Math.max(ms, 250))
    this.#timer.unref()
  }

  async #deliver(url: string, body: string): Promise<boolean> {
    try {
      const response = await fetch(url, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          'stripe-signature': signBody(body, this.#deps.secret),
        },
        body,
        signal: AbortSignal.timeout(10_000),
      })
      await response.arrayBuffer()
      return response.ok
    } catch {
      return false
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true
    clearTimeout(this.#timer)
    await this.#current
  }
}
