import type { Artifacts } from '../../features/artifacts/index.ts'
import { missing } from '../../lib/errors.ts'
import { type Signer, sign, verify } from '../../lib/signed.ts'

const lifetimeMs = 3_600_000

/** What a link shows: the stored file, or the page that the code makes. */
type Show = 'file' | 'page'

export type Links = ReturnType<typeof createLinks>

/**
 * Absolute links to artifacts that need no sign-in and hold for an hour, as presigned links of the published API do. They
 * carry no access token, open one artifact, and are dead as soon as it is deleted.
 */
export function createLinks(artifacts: Artifacts, options: { key: string; publicUrl: () => string }) {
  const signer: Signer = { key: options.key, purpose: 'coding-agent-link' }
  const link = (show: Show, { accountId, id }: { accountId: string; id: string }) =>
    `${options.publicUrl()}/api/artifacts/open/${sign(signer, [show, accountId, id], Date.now() + lifetimeMs)}`
  return {
    file: (artifact: { accountId: string; id: string }) => link('file', artifact),
    page: (artifact: { accountId: string; id: string }) => link('page', artifact),
    /** Where a link leads now. Throws AppError missing or gone. */
    async open(token: string): Promise<string> {
      const [show, accountId, id] = verify(signer, token) as [Show, string, string]
      if (show === 'file') return (await artifacts.download(accountId, id)).url
      if (show === 'page') return (await artifacts.previewLink(accountId, id)).url
      throw missing('Link')
    },
  }
}
