-- People's own keys for model providers (BYOK), sealed at rest.

-- The master keys that this installation has had, by number. What is kept of them is a fingerprint alone: the keys
-- themselves are the operator's (ENCRYPTION_KEY, ENCRYPTION_RETIRED_KEYS).
create table master_keys (
  number integer generated always as identity primary key,
  fingerprint bytea not null unique,
  created_at timestamptz not null default now()
);

create table provider_keys (
  id uuid primary key,
  account_id uuid not null references accounts (id) on delete cascade,
  provider text not null check (provider in ('openai', 'gemini', 'anthropic', 'openrouter', 'perplexity', 'custom')),
  name text not null,
  -- Null for the provider's own address.
  base_url text check (provider <> 'custom' or base_url is not null),
  -- Names of models to offer; of servers whose models nobody here knows.
  models text[] not null default '{}',
  is_active boolean not null,
  -- Whether credits pay when the provider refuses the key.
  falls_back_to_credits boolean not null default false,
  -- The key, sealed under a data key of its own; the data key, sealed under master key `master_key`. Both are bound to
  -- this row and its owner: moved to another row they cannot be opened.
  sealed_key bytea not null,
  sealed_data_key bytea not null,
  master_key integer not null references master_keys (number),
  -- Of a keyed hash, so that its owner can tell keys apart without seeing them.
  fingerprint text not null,
  last_four text,
  last_used_at timestamptz,
  -- {code, message} of the last call that failed.
  last_error jsonb,
  last_error_at timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);

create index provider_keys_by_account on provider_keys (account_id, created_at desc);
create index provider_keys_by_master_key on provider_keys (master_key, id);
create unique index provider_keys_one_active on provider_keys (account_id, provider) where is_active;

-- What each key was used for on a day (UTC).
create table provider_key_usage (
  key_id uuid not null references provider_keys (id) on delete cascade,
  account_id uuid not null references accounts (id) on delete cascade,
  day date not null,
  calls integer not null default 0,
  errors integer not null default 0,
  input_tokens bigint not null default 0,
  output_tokens bigint not null default 0,
  primary key (key_id, day)
) with (fillfactor = 70);

create index provider_key_usage_by_account on provider_key_usage (account_id, day);
