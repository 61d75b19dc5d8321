import { v7 } from 'uuid'

/** A new id: UUID version 7, rising in time within a process, so that indexes stay compact. */
export function newId(): string {
  return v7()
}

const uuidPattern = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i

/** Whether the text has the form of a UUID; ids of any other form cannot exist here. */
export function isId(text: string): boolean {
  return uuidPattern.test(text)
}
