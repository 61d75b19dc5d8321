// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these are pieces of source
import { accounts, type Mutant, rule } from './mutant.ts'

const guards = 'test/dialects/guards.test.ts'
const strangers = 'test/api/strangers.test.ts'
const secrets = 'test/api/secrets.test.ts'
const accountEnd = 'test/api/account-end.test.ts'

/** The guards of rows Z01–Z11. */
export const authorization: readonly Mutant[] = [
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
        '    where id = $2 and account_id = $1 and kind = $5',
        '    where id = $2 and $1::uuid is not null and kind = $5',
      ),
      rule(
        'src/features/generations/store-turns.ts',
        'from conversations where id = $2 and account_id = $1 and kind = $15',
        'from conversations where id = $2 and $1::uuid is not null and kind = $15',
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
    row: 'Z07',
    what: 'chat/send hands on whatever messages a body has',
    changes: [
      rule(
        'src/dialects/coding-agent/chat.ts',
        "kind: 'chat', message, conversationId",
        "kind: 'chat', message: message + JSON.stringify(exchange.request.body), conversationId",
      ),
    ],
    tests: [strangers],
    named: 'Z07',
  },
  {
    row: 'Z08',
    what: 'an account shows the hash of its password',
    changes: [
      rule(accounts('view'), '    hasPassword:', '    ...{ proof: row.passwordHash },\n    hasPassword:'),
      rule(accounts('schema'), '    hasPassword:', '    proof: Type.Optional(Type.Any()),\n    hasPassword:'),
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
      rule(accounts('presence'), "now && now.status !== 'banned' ?", 'now ?'),
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
      rule(accounts('presence'), '    this.#endHere(watched.filter(id => !live.has(id)))\n', ''),
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
