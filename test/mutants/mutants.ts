/** One guard taken away: the change to the source, and the tests of which one must fail then. */
export interface Mutant {
  /** A row of the tables in docs/accounts.md. */
  row: string
  what: string
  changes: readonly { file: string; from: string; to: string }[]
  tests: readonly string[]
  /** A part of the names of the tests to run; all of them when absent. */
  named?: string
}

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
const rule = (file: string, from: string, to: string) => ({ file, from, to })
const accounts = (name: string) => `src/features/accounts/${name}.ts`
const accountTests = (name: string) => `test/accounts/${name}.test.ts`
const guards = 'test/dialects/guards.test.ts'
const production = 'test/dialects/production.test.ts'
const strangers = 'test/api/strangers.test.ts'
const secrets = 'test/api/secrets.test.ts'
const accountEnd = 'test/api/account-end.test.ts'

export const mutants: readonly Mutant[] = [
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
  ...[
    [
      'src/features/keys/store.ts',
      'provider_keys where id = $1 and account_id = $2`,\n',
      'provider_keys where id = $1 and $2::uuid is not null`,\n',
    ],
    [
      'src/features/library/store.ts',
      'from library_entries where id = $1 and account_id = $2`)',
      'from library_entries where id = $1 and $2::uuid is not null`)',
    ],
    [
      'src/features/library/store.ts',
      '`delete from library_entries where id = $1 and account_id = $2',
      '`delete from library_entries where id = $1 and $2::uuid is not null',
    ],
    [
      'src/features/library/store-jobs.ts',
      'where c.id = $1 and c.account_id = $2',
      'where c.id = $1 and $2::uuid is not null',
    ],
    [
      'src/features/plugins/store.ts',
      'where p.id = $1 and p.account_id = $2',
      'where p.id = $1 and $2::uuid is not null',
    ],
    [
      'src/features/conversations/store.ts',
      'where m.id = $1 and c.account_id = $2',
      'where m.id = $1 and $2::uuid is not null',
    ],
    [
      'src/features/generations/store.ts',
      'generations g where g.id = $1 and g.account_id = $2`',
      'generations g where g.id = $1 and $2::uuid is not null`',
    ],
    [
      'src/features/artifacts/store.ts',
      'from artifacts a where a.id = $1 and a.account_id = $2',
      'from artifacts a where a.id = $1 and $2::uuid is not null',
    ],
    [
      'src/features/accounts/store-sessions.ts',
      'where id = $2 and account_id = $1 and ended_at',
      'where id = $2 and $1::uuid is not null and ended_at',
    ],
  ].map(([file = '', from = '', to = '']) => ({
    row: 'Z01',
    what: `${file} does not ask whose it is`,
    changes: [{ file, from, to }],
    tests: [strangers],
    named: 'Z01',
  })),
  {
    row: 'Z02',
    what: 'a message goes into any conversation',
    changes: [
      rule(
        'src/features/generations/store-turns.ts',
        '    where id = $2 and account_id = $1 and kind = $18',
        '    where id = $2 and $1::uuid is not null and kind = $18',
      ),
    ],
    tests: [strangers],
    named: 'Z02',
  },
  {
    row: 'Z06',
    what: 'a published path hands the whole body on, and a plan in it counts',
    changes: [
      rule(
        'src/dialects/gemini-backend/user.ts',
        'update(request.identity.accountId, { name })',
        'update(request.identity.accountId, request.body)',
      ),
      rule(
        accounts('profile'),
        '    const keepsUsername =',
        "    const plan = (change as { plan?: 'pro' }).plan\n    if (plan) await setPlan(db, accountId, { plan, now: new Date(parts.now()) })\n    const keepsUsername =",
      ),
    ],
    tests: [strangers],
    named: 'Z06',
  },
  {
    row: 'Z07',
    what: 'what a client put beside the history is told to the model',
    changes: [
      rule(
        'src/features/plugins/store-messages.ts',
        `select $1, p.id, p.account_id, $3, $4, c.message_count
   from plugins p join conversations c on c.id = p.conversation_id where p.id = $2`,
        `select $1, p.id, p.account_id, $3, $4, 0 from plugins p where false and p.id = $2`,
      ),
      rule(
        'src/features/plugins/store-messages.ts',
        '  await insertOne(',
        `  await statement(
    \`with c as (update conversations set message_count = message_count + 1
       where id = (select conversation_id from plugins where id = $2) returning id, account_id, message_count)
     insert into messages (id, conversation_id, account_id, position, role, content)
     select $1, id, account_id, message_count, case $3 when 'user' then 'user' else 'assistant' end, $4 from c\`,
  )(db, message.id, message.pluginId, message.sender, message.content)
  await insertOne(`,
      ),
    ],
    tests: ['test/dialects/secret-echo.test.ts'],
    named: 'never told',
  },
  {
    row: 'Z08',
    what: 'an account shows the hash of its password',
    changes: [
      rule(accounts('view'), '    hasPassword:', '    ...{ proof: row.passwordHash },\n    hasPassword:'),
    ],
    tests: [secrets],
  },
  {
    row: 'Z08',
    what: 'a subscription shows its number at Stripe',
    changes: [
      rule(
        'src/features/billing/subscriptions.ts',
        "return `sub_${hashToken(subscriptionId).toString('hex').slice(0, 24)}`",
        'return subscriptionId',
      ),
    ],
    tests: [secrets],
  },
  {
    row: 'Z09',
    what: 'a ban stops nothing that runs',
    changes: [rule('src/app/features.ts', '  accounts.onBan(generations.cancelAll)\n', '')],
    tests: [accountEnd],
    named: 'banned',
  },
  {
    row: 'Z09',
    what: 'a ban closes nothing that is open',
    changes: [
      rule(
        accounts('admin'),
        '  await parts.presence.end(ended)\n  await parts.presence.changed(accountId)\n',
        '',
      ),
      rule(
        accounts('store-sessions'),
        "and a.erasing_at is null and a.status <> 'banned'`",
        'and a.erasing_at is null`',
      ),
      rule(
        accounts('admin'),
        "    return endSessions(db, { accountId, reason: 'banned', now })",
        '    return []',
      ),
    ],
    tests: [accountEnd],
    named: 'banned',
  },
  {
    row: 'Z09',
    what: 'a deletion closes nothing that is open',
    changes: [
      rule(accounts('erasure'), '  await parts.presence.end(ended)\n', ''),
      rule(accounts('presence'), '    this.#endHere(ids.filter(id => !live.has(id)))\n', ''),
    ],
    tests: [accountEnd],
    named: 'deleted',
  },
  {
    row: 'Z11',
    what: 'two slashes are one, and the guard looks at the text of the path',
    changes: [
      rule(
        'src/transport/server.ts',
        'routerOptions: { ignoreTrailingSlash: true,',
        'routerOptions: { ignoreTrailingSlash: true, ignoreDuplicateSlashes: true,',
      ),
      rule(
        'src/transport/auth.ts',
        "if (rule === 'none' || request.is404) return",
        "if (rule === 'none' || request.is404 || request.url.includes('//')) return",
      ),
    ],
    tests: [guards],
    named: 'another spelling',
  },
  {
    row: 'Z11',
    what: 'one alias has no guard',
    changes: [
      rule(
        'src/dialects/coding-agent/index.ts',
        "server.get('/artifacts/:id/code', asks.readCode,",
        "server.get('/artifacts/:id/code', { ...asks.readCode, config: { ...asks.readCode.config, auth: 'optional' } },",
      ),
    ],
    tests: [guards],
  },
]
