// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these are pieces of source
import { accounts, type Mutant, rule } from './mutant.ts'

const tokens = 'src/features/accounts/tokens.ts'
const unchecked = {
  file: tokens,
  from: 'payload = key.verify(token)',
  to: "payload = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString())",
}
const anyHeader = {
  file: tokens,
  from: ': undefined\n      if (!key)',
  to: ': undefined) ?? signing\n      if (!key)',
}
const anyHeaderStart = {
  file: tokens,
  from: 'const key =\n        token',
  to: 'const key = (\n        token',
}
const accountTests = (name: string) => `test/accounts/${name}.test.ts`
const guards = 'test/dialects/guards.test.ts'
const production = 'test/dialects/production.test.ts'

/** The guards of rows A01–A24. */
export const authentication: readonly Mutant[] = [
  {
    row: 'A01',
    what: 'the signature is not checked',
    changes: [unchecked],
    tests: [accountTests('tokens'), guards],
    named: 'A01|unsigned',
  },
  {
    row: 'A01',
    what: 'neither the signature nor the header is checked',
    changes: [unchecked, anyHeaderStart, anyHeader],
    tests: [accountTests('tokens'), guards],
    named: 'A01|unsigned',
  },
  {
    row: 'A02',
    what: 'the header may name another algorithm',
    changes: [
      rule(tokens, 'algorithms: [algorithm],', "algorithms: ['HS256', 'HS384', 'HS512'],"),
      anyHeaderStart,
      anyHeader,
    ],
    tests: [accountTests('tokens')],
    named: 'A02',
  },
  {
    row: 'A04',
    what: 'a verification token is good for every purpose',
    changes: [
      rule(
        accounts('store-codes'),
        'and purpose = any($2) and used_at',
        'and $2::text[] is not null and used_at',
      ),
    ],
    tests: [accountTests('tokens'), 'test/api/token-kinds.test.ts'],
    named: 'A04',
  },
  {
    row: 'A04',
    what: 'an access token is taken for a ticket',
    changes: [
      rule(
        'src/transport/handshakes.ts',
        'return deps.tickets.redeem(ticket)',
        'return deps.authenticate(ticket).catch(() => deps.tickets.redeem(ticket))',
      ),
    ],
    tests: ['test/api/token-kinds.test.ts'],
    named: 'A04',
  },
  {
    row: 'A05',
    what: 'the audience is not looked at',
    changes: [
      rule(tokens, 'iss === expected.issuer && aud === audience && typ', 'iss === expected.issuer && typ'),
    ],
    tests: [accountTests('tokens')],
    named: 'A05',
  },
  {
    row: 'A05',
    what: 'the time of its end is not looked at',
    changes: [
      rule(tokens, 'if (exp <= nowSeconds) throw', 'if (exp <= 0) throw'),
      rule(
        accounts('presence'),
        'if (claims.expiresAt * 1000 <= this.#deps.now())',
        'if (claims.expiresAt < 0)',
      ),
    ],
    tests: [accountTests('tokens')],
    named: 'A05',
  },
  {
    row: 'A06',
    what: 'times may be of any kind',
    changes: [
      rule(
        tokens,
        "return typeof value === 'number' && Number.isSafeInteger(value) && value > 0 && value < farFuture",
        'return value !== farFuture',
      ),
    ],
    tests: [accountTests('tokens')],
    named: 'A06',
  },
  {
    row: 'A07',
    what: 'signing out tells nobody',
    changes: [
      rule(accounts('sign-in'), '  await parts.presence.end(ended)\n}\n\n/** Hashes', '}\n\n/** Hashes'),
    ],
    tests: [accountTests('sessions')],
    named: 'A07',
  },
  {
    row: 'A08',
    what: 'a token used again ends nothing',
    changes: [
      rule(
        accounts('sessions'),
        "if ('reused' in outcome) await endReused",
        "if (Date.now() < 0 && 'reused' in outcome) await endReused",
      ),
    ],
    tests: [accountTests('sessions')],
    named: 'A08',
  },
  {
    row: 'A09',
    what: 'there is no grace',
    changes: [rule(accounts('sessions'), 'const graceMs = 10_000', 'const graceMs = -1')],
    tests: [accountTests('sessions')],
    named: 'A09',
  },
  {
    row: 'A12',
    what: 'wrong current passwords are not counted',
    changes: [
      rule(accounts('recovery'), 'account.passwordHash, attempt)))', 'account.passwordHash)) && attempt)'),
    ],
    tests: [accountTests('sessions')],
    named: 'A12',
  },
  {
    row: 'A13',
    what: 'an address without a code sets a password',
    changes: [
      rule(
        accounts('recovery'),
        "  if (input.code === undefined)\n    throw invalidField('verificationToken', 'or an address with its code is required')\n  const address = readAddress(input)\n  const account = await findAccountByAddress(parts.db, address)\n",
        "  const address = readAddress(input)\n  const account = await findAccountByAddress(parts.db, address)\n  if (input.code === undefined) return { accountId: account?.id ?? '', channel: address.channel }\n",
      ),
    ],
    tests: [accountTests('recovery'), production],
    named: 'A13',
  },
  {
    row: 'A13',
    what: 'a token that nobody was sent is taken for the account that asks',
    changes: [
      rule(
        accounts('verifications'),
        'if (!taken) throw invalidVerification()',
        "if (!taken && token.startsWith('atv_')) throw invalidVerification()",
      ),
      rule(
        accounts('verifications'),
        'return {\n    ...taken,\n    proven: taken',
        "const row = await db.selectFrom('accounts').select(['id', 'email']).orderBy('id', 'desc').executeTakeFirstOrThrow()\n  if (!taken) return { channel: 'email', address: row.email ?? '', accountId: row.id, proven: readEmail(row.email ?? '') }\n  return {\n    ...taken,\n    proven: taken",
      ),
    ],
    tests: [accountTests('recovery'), production],
    named: 'A13',
  },
  {
    row: 'A15',
    what: 'spellings are addresses of their own',
    changes: [
      rule(
        accounts('addresses'),
        "    .toLowerCase()\n    .replace(/(?<=.)\\+.*$/, '')",
        '    .toLowerCase()',
      ),
    ],
    tests: [accountTests('sign-up')],
    named: 'A15',
  },
  {
    row: 'A16',
    what: 'a sign-in to no account is told so',
    changes: [
      rule(
        accounts('sign-in'),
        "    await noteFailure(parts, account, { client, by: 'password' })\n",
        "    if (!account) throw new AppError('missing', 'NOT_FOUND', 'No such account')\n    await noteFailure(parts, account, { client, by: 'password' })\n",
      ),
    ],
    tests: [accountTests('sign-up'), production],
    named: 'A16',
  },
  {
    row: 'A16',
    what: 'no hash is compared where there is no account',
    changes: [
      rule(
        accounts('passwords'),
        'const compared = kept ?? (await nobody)',
        'if (kept === null) return false\n      const compared = kept ?? (await nobody)',
      ),
    ],
    tests: [accountTests('sign-up')],
    named: 'A16',
  },
  {
    row: 'A16',
    what: 'asking for a code for no account is told so',
    changes: [
      rule(
        accounts('codes'),
        '  const to = destination(request.address, account, purpose)\n  await refuse',
        "  if (!mayReceive(account, purpose)) throw new AppError('missing', 'NOT_FOUND', 'Not for this address')\n  const to = destination(request.address, account, purpose)\n  await refuse",
      ),
    ],
    tests: [accountTests('sign-up'), production],
    named: 'A16',
  },
  {
    row: 'A16',
    what: 'a published path tells that an address is taken, in production',
    changes: [
      rule(accounts('pending'), "  if (parts.settings.signupVerification === 'required') return\n", ''),
    ],
    tests: [production],
    named: 'A16',
  },
  {
    row: 'A18',
    what: 'a code may be tried for ever',
    changes: [rule(accounts('codes'), 'const maxAttempts = 5', 'const maxAttempts = 50')],
    tests: [accountTests('codes')],
    named: 'A18',
  },
  {
    row: 'A20',
    what: 'a code is not used up',
    changes: [
      rule(
        accounts('store-codes'),
        'and used_at is null and expires_at > $4 and attempts < $5',
        'and expires_at > $4 and attempts < $5',
      ),
    ],
    tests: [accountTests('codes')],
    named: 'A20',
  },
  {
    row: 'A21',
    what: 'networks may ask for any number of codes',
    changes: [rule(accounts('limits'), '        [codes.network, networkOf(client.ip)],\n', '')],
    tests: [accountTests('codes')],
    named: 'A21',
  },
  {
    row: 'A22',
    what: 'each address of an IPv6 network is a guesser of its own',
    changes: [
      rule(
        accounts('limits'),
        '      const network = networkOf(client.ip)\n      const key',
        '      const network = client.ip\n      const key',
      ),
    ],
    tests: [accountTests('limits')],
    named: 'A22',
  },
  {
    row: 'A23',
    what: 'a link carries the host of the request',
    changes: [
      rule(
        accounts('web-sessions'),
        '  return { ip: request.ip',
        "  const host = request.headers['x-forwarded-host'] ?? request.host\n  Object.assign(globalThis, { lastHost: host })\n  return { ip: request.ip",
      ),
      rule(
        accounts('codes'),
        'return `${parts.settings.publicUrl}/reset-password',
        'return `https://${(globalThis as unknown as { lastHost: string }).lastHost}/reset-password',
      ),
    ],
    tests: [accountTests('recovery'), production],
    named: 'A23',
  },
  {
    row: 'A24',
    what: 'the commonest passwords are taken',
    changes: [
      rule(
        accounts('passwords'),
        'if (policy.refuseCommon && isCommonPassword(password))',
        'if (policy.refuseCommon && isCommonPassword(password) && password.length > 99)',
      ),
    ],
    tests: [accountTests('sign-up')],
    named: 'A24',
  },
]
