import type { Server } from '../../transport/server.ts'
import type { DialectParts } from '../parts.ts'
import { mobileSignUp, sharedCodes, sharedPasswords } from './codes.ts'
import { contentGeneratorSignIn, secretEchoSignIn } from './own-paths.ts'
import { sharedEntry, sharedStay } from './shared.ts'

/** Everything about signing in that the published APIs have, whichever of them a path comes from. */
export function signIn(parts: DialectParts) {
  return async (server: Server) => {
    for (const routes of [
      sharedEntry,
      sharedStay,
      sharedCodes,
      mobileSignUp,
      sharedPasswords,
      secretEchoSignIn,
      contentGeneratorSignIn,
    ]) {
      await server.register(routes(parts))
    }
  }
}
