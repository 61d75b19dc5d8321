-- WooCommerce plugins: sessions of talking about one, its versions with their reports, and the turns that made them.

-- A plugin's name and its last change are those of its conversation.
create table plugins (
  id uuid primary key,
  account_id uuid not null references accounts (id) on delete cascade,
  conversation_id uuid not null unique references conversations (id) on delete cascade,
  version_count integer not null default 0,
  -- The last version that was asked to be final and had no errors.
  final_version integer,
  -- What the published API calls the generated plugin: the last of our finals, or what a client saved as such.
  saved_version integer,
  created_at timestamptz not null default now()
);

create index plugins_by_account on plugins (account_id, id desc);

create table plugin_versions (
  plugin_id uuid not null references plugins (id) on delete cascade,
  version integer not null check (version > 0),
  account_id uuid not null,
  -- Who wrote the code. A client's is never told to the model as its own words.
  origin text not null check (origin in ('model', 'client')),
  code text not null,
  -- {findings: [{rule, severity, line, message, advice}], …} as it was when the version was made.
  report jsonb not null,
  errors integer not null,
  warnings integer not null,
  -- The run that wrote it; null for a client's.
  generation_id uuid unique,
  -- Which message of the conversation came before it.
  after_position integer not null,
  created_at timestamptz not null default now(),
  primary key (plugin_id, version),
  check ((origin = 'model') = (generation_id is not null))
);

-- Messages that a client put into the history. They stand beside the conversation, whose messages are what the model is told.
create table plugin_client_messages (
  id uuid primary key,
  plugin_id uuid not null references plugins (id) on delete cascade,
  account_id uuid not null,
  sender text not null check (sender in ('user', 'plugin_generator')),
  content text not null,
  after_position integer not null,
  created_at timestamptz not null default now()
);

create index plugin_client_messages_by_plugin on plugin_client_messages (plugin_id, id);

-- One wish of a person with its answer and the repairs of that; a plugin has one open turn at most.
create table plugin_turns (
  id uuid primary key,
  plugin_id uuid not null references plugins (id) on delete cascade,
  account_id uuid not null,
  purpose text not null check (purpose in ('draft', 'final')),
  -- open, then how it ended: with checked code, with a question or other prose alone, with errors that remain, or not at all.
  outcome text not null default 'open' check (outcome in ('open', 'passed', 'answered', 'errors', 'failed')),
  -- What its answers came to after the last of its runs.
  version integer,
  idempotency_key text,
  created_at timestamptz not null default now(),
  ended_at timestamptz
);

create unique index plugin_turns_one_open on plugin_turns (plugin_id) where outcome = 'open';
create unique index plugin_turns_idempotency on plugin_turns (account_id, idempotency_key)
  where idempotency_key is not null;
create index plugin_turns_by_plugin on plugin_turns (plugin_id, id);

create table plugin_runs (
  turn_id uuid not null references plugin_turns (id) on delete cascade,
  -- 0 for the answer, then its repairs.
  attempt integer not null,
  generation_id uuid not null unique,
  message_id uuid not null,
  reply_id uuid not null,
  primary key (turn_id, attempt)
);
