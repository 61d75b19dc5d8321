import { type Database, statement } from '../../database/index.ts'

export type ObjectKind = 'customer' | 'session' | 'portal' | 'subscription' | 'invoice' | 'intent'

export type Body = Record<string, unknown>

/** A thing that the sandbox provider keeps; `body` is what Stripe would tell of it. */
export interface SandboxObject {
  id: string
  kind: ObjectKind
  customerId: string
  body: Body
}

const columns = 'id, kind, customer_id as "customerId", body'

const add = statement(
  'insert into sandbox_objects (id, kind, customer_id, body) values ($1, $2, $3, $4) on conflict (id) do nothing',
)

/** Keeps a new object; one that is there already stays as it is. */
export async function addObject(db: Database, { id, kind, customerId, body }: SandboxObject): Promise<void> {
  await add(db, id, kind, customerId, JSON.stringify(body))
}

const find = statement<SandboxObject>(`select ${columns} from sandbox_objects where id = $1 and kind = $2`)
const lock = statement<SandboxObject>(
  `select ${columns} from sandbox_objects where id = $1 and kind = $2 for update`,
)

export async function findObject(db: Database, kind: ObjectKind, id: string): Promise<SandboxObject | null> {
  return (await find(db, id, kind))[0] ?? null
}

/** The object, which nobody else changes until the transaction ends. */
export async function lockObject(db: Database, kind: ObjectKind, id: string): Promise<SandboxObject | null> {
  return (await lock(db, id, kind))[0] ?? null
}

const ofCustomer = statement<SandboxObject>(
  `select ${columns} from sandbox_objects where customer_id = $1 and kind = $2 order by created_at desc`,
)

export function listObjects(db: Database, kind: ObjectKind, customerId: string): Promise<SandboxObject[]> {
  return ofCustomer(db, customerId, kind)
}

const change = statement('update sandbox_objects set body = $2 where id = $1')

export async function changeObject(db: Database, id: string, body: Body): Promise<void> {
  await change(db, id, JSON.stringify(body))
}

const dropObjects = statement('delete from sandbox_objects where customer_id = $1')
const dropEvents = statement('delete from sandbox_events where customer_id = $1')

/** Forgets everything of a customer, events that were not delivered yet among it. */
export async function dropCustomer(db: Database, customerId: string): Promise<void> {
  await dropEvents(db, customerId)
  await dropObjects(db, customerId)
}

const queue = statement('insert into sandbox_events (id, customer_id, body) values ($1, $2, $3)')

/** Keeps an event until it is delivered. */
export async function queueEvent(
  db: Database,
  event: { id: string; customerId: string; body: string },
): Promise<void> {
  await queue(db, event.id, event.customerId, event.body)
}

const claim = statement<{ id: string; body: string }>(
  `update sandbox_events set attempts = attempts + 1, next_at = now() + make_interval(secs => least(power(2, attempts), 600))
   where id = (select id from sandbox_events where next_at <= now() order by seq limit 1 for update skip locked)
   returning id, body`,
)
const next = statement<{ ms: number }>(
  `select greatest(extract(epoch from min(next_at) - now()) * 1000, 0)::float8 as ms from sandbox_events where $1`,
)
const delivered = statement('delete from sandbox_events where id = $1')

/** The oldest event that is due; it is due again later unless it is dropped meanwhile. */
export async function claimEvent(db: Database): Promise<{ id: string; body: string } | null> {
  return (await claim(db))[0] ?? null
}

/** In how many milliseconds the next event is due; null when there is none. */
export async function nextEventMs(db: Database): Promise<number | null> {
  return (await next(db, true))[0]?.ms ?? null
}

export async function dropEvent(db: Database, id: string): Promise<void> {
  await delivered(db, id)
}
