import type { Submittable } from 'pg'
import { prepareValue } from 'pg/lib/utils.js'
import { types } from './value-types.ts'

/** A statement that connections keep prepared under its name. */
export interface Prepared {
  name: string
  text: string
}

/** A statement with its values, $1 first. */
export interface Asked {
  statement: Prepared
  values: readonly unknown[]
}

/** The connection of a `pg` client, as far as its own queries use it; the typings leave it out. */
interface Wire {
  stream: { cork(): void; uncork(): void }
  /** Texts by name: those that the server has, and those that are on their way to it. */
  parsedStatements: Record<string, string>
  submittedNamedStatements: Record<string, string>
  parse(statement: Prepared): void
  describe(what: { type: 'S'; name: string }): void
  bind(what: { statement: string; values: readonly (string | Buffer | null)[] }): void
  execute(): void
  flush(): void
  sync(): void
}

type Parser = (text: string) => unknown
interface Columns {
  names: readonly string[]
  parsers: readonly Parser[]
}

const noColumns: Columns = { names: [], parsers: [] }

/** What the rows of a statement look like is asked once for each connection; a plan that changes fails there as stale. */
const described = new WeakMap<Wire, Map<string, Columns>>()

/**
 * Prepared statements that go to the server together and are committed together, as `pg` runs them: half of what its own
 * `Query` does for each, which asks for the description of the rows every time. With a second statement the rows of the
 * first are given as soon as it is done, before the commit.
 */
export class PreparedRun implements Submittable {
  /** Called once: with the error, or when all is committed. `pg` puts its time limit around it. */
  callback: (error: unknown) => void
  readonly rows: object[][]
  readonly #asked: readonly Asked[]
  readonly #onRows: ((rows: object[]) => void) | undefined
  #at = 0
  #known: Map<string, Columns> = new Map()
  #failure: unknown

  constructor(
    asked: readonly [Asked, ...Asked[]],
    callback: (error: unknown) => void,
    onRows?: (rows: object[]) => void,
  ) {
    this.#asked = asked
    this.rows = asked.map(() => [])
    this.callback = callback
    this.#onRows = onRows
  }

  /** The statement that the server is answering now: `pg` notes under its name that it was parsed. */
  get name(): string | undefined {
    return this.#asked[this.#at]?.statement.name
  }
  get text(): string | undefined {
    return this.#asked[this.#at]?.statement.text
  }

  submit(connection: unknown): Error | null {
    const wire = connection as Wire
    const known = described.get(wire)
    if (known) this.#known = known
    else described.set(wire, this.#known)
    let values: (string | Buffer | null)[][]
    try {
      values = this.#asked.map(asked => asked.values.map(value => prepareValue(value)))
    } catch (error) {
      return error as Error
    }
    wire.stream.cork()
    for (const [index, { statement }] of this.#asked.entries()) {
      if (index > 0) wire.flush()
      this.#send(wire, statement, values[index] ?? [])
    }
    wire.sync()
    wire.stream.uncork()
    return null
  }

  #send(wire: Wire, statement: Prepared, values: readonly (string | Buffer | null)[]): void {
    const { name } = statement
    if (wire.parsedStatements[name] === undefined) {
      wire.parse(statement)
      wire.submittedNamedStatements[name] = statement.text
    }
    if (!this.#known.has(name)) wire.describe({ type: 'S', name })
    wire.bind({ statement: name, values })
    wire.execute()
  }

  handleRowDescription({ fields }: { fields: readonly { name: string; dataTypeID: number }[] }): void {
    const names = fields.map(field => field.name)
    const parsers = fields.map(field => types.getTypeParser(field.dataTypeID, 'text') as Parser)
    if (this.name !== undefined) this.#known.set(this.name, { names, parsers })
  }

  handleDataRow({ fields }: { fields: readonly (string | null)[] }): void {
    const { names, parsers } = this.#known.get(this.name ?? '') ?? noColumns
    const row: Record<string, unknown> = {}
    try {
      for (let index = 0; index < names.length; index++) {
        const text = fields[index] ?? null
        row[names[index] as string] = text === null ? null : (parsers[index] as Parser)(text)
      }
    } catch (error) {
      this.#failure ??= error
    }
    this.rows[this.#at]?.push(row)
  }

  handleCommandComplete(): void {
    // A statement without rows is known by having none.
    if (this.name !== undefined && !this.#known.has(this.name)) this.#known.set(this.name, noColumns)
    this.#at++
    if (this.#at === 1 && this.#failure === undefined) this.#onRows?.(this.rows[0] as object[])
  }

  handleReadyForQuery(): void {
    this.callback(this.#failure ?? null)
  }

  handleError(error: unknown, connection: unknown): void {
    // What follows the one that failed was skipped, its parsing too.
    const submitted = (connection as Wire | undefined)?.submittedNamedStatements
    if (submitted) for (const { statement } of this.#asked) delete submitted[statement.name]
    this.callback(this.#failure ?? error)
  }
}
