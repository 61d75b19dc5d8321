import type { Outline } from '../../../platform/bundler/index.ts'
import type { Block } from '../detection.ts'
import type { ArtifactType } from '../schema.ts'

/** A block that may be merged, with what it holds; null when it does not parse, or is a page. */
export interface Part {
  block: Block
  outline: Outline | null
}

/** One file made of several blocks, perhaps with style sheets beside it. */
export interface Merged {
  /** In the order of their writing. */
  parts: readonly Part[]
  /** The part whose next version it is. */
  root: Part
  content: string
  language: string
  type: ArtifactType
  /** Files that it imports. */
  beside?: readonly { path: string; language: string; content: string }[]
  /** The classic scripts of a page, to be parsed as one. */
  script?: string
}

/** Whether no name occurs twice. */
export function areDistinct(names: readonly string[]): boolean {
  return new Set(names).size === names.length
}

/** Top-level names of a part, each once: a type and a value may share one. */
export function namesOf({ outline }: Part): string[] {
  return [...new Set(outline?.declares.map(({ name }) => name))]
}
