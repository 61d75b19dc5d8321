import type { DialectParts } from '../parts.ts'
import type { Links } from './links.ts'

/** What this dialect stands on. */
export interface CodingAgentParts extends DialectParts {
  links: Links
}
