-- Conversations, their messages, and the generations that answer them.

create table conversations (
  id uuid primary key,
  account_id uuid not null references accounts (id) on delete cascade,
  kind text not null check (kind in ('chat', 'plugin')),
  title text not null,
  -- 'auto' titles may be replaced by the product, 'user' titles only by a person.
  title_source text not null default 'auto' check (title_source in ('auto', 'user')),
  system_prompt text,
  -- What the messages up to a position came to, told instead of them when they no longer fit.
  summary text,
  summary_until integer not null default 0,
  message_count integer not null default 0,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);

create index conversations_by_account on conversations (account_id, updated_at desc, id desc);

create table messages (
  id uuid primary key,
  conversation_id uuid not null references conversations (id) on delete cascade,
  -- The account of its conversation; messages go with that.
  account_id uuid not null,
  -- 1, 2, 3 … within the conversation.
  position integer not null,
  -- Answers to the same question: 1 for the first, 2 for its regeneration, … The newest is the one in the conversation.
  version integer not null default 1,
  is_superseded boolean not null default false,
  role text not null check (role in ('user', 'assistant')),
  content text not null,
  -- The generation that wrote this message; null for what a person wrote.
  generation_id uuid,
  created_at timestamptz not null default now(),
  unique (conversation_id, position, version)
) with (fillfactor = 80);

create index messages_by_generation on messages (generation_id) where generation_id is not null;

create table generations (
  id uuid primary key,
  account_id uuid not null references accounts (id) on delete cascade,
  kind text not null,
  conversation_id uuid references conversations (id) on delete cascade,
  -- The message that asked, and the one that answers; they go with the conversation, as this does.
  message_id uuid,
  reply_id uuid,
  status text not null check (status in ('queued', 'running', 'completed', 'failed', 'cancelled', 'interrupted')),
  finish_reason text,
  model text not null,
  -- Where this run's text begins in the reply: above 0 when it continues an earlier run.
  reply_offset integer not null default 0,
  -- {temperature, topK, topP, maxOutputTokens, onDisconnect}
  settings jsonb not null,
  input_tokens integer,
  output_tokens integer,
  cached_input_tokens integer,
  usage_estimated boolean not null default false,
  cost_micro_credits bigint not null default 0,
  -- {code, message} of what went wrong.
  error jsonb,
  -- Position of the log at the last checkpoint, and the events between the text, so that the log can be rebuilt.
  last_seq integer not null default 0,
  marks jsonb not null default '[]',
  -- Whether it runs as a job: then the death of its process means another attempt, not an end.
  is_job boolean not null default false,
  attempts integer not null default 0,
  -- The client's own name for this request, and a hash of what it asked.
  idempotency_key text,
  request_hash bytea,
  -- A wish that reaches its process also where nothing but the database connects them.
  is_cancel_wanted boolean not null default false,
  -- The process that runs it, and when it last said so.
  runner text,
  heartbeat_at timestamptz,
  created_at timestamptz not null default now(),
  started_at timestamptz,
  finished_at timestamptz
) with (fillfactor = 70);

create index generations_by_account on generations (account_id, created_at desc);
create index generations_by_conversation on generations (conversation_id, created_at);
create unique index generations_idempotency on generations (account_id, idempotency_key)
  where idempotency_key is not null;
create index generations_open on generations (heartbeat_at) where status in ('queued', 'running');
