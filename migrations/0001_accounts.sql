-- Who can sign in, and everything that signing in leaves behind.

create table accounts (
  id uuid primary key,
  -- As the person wrote it; mail goes here. `email_key` is the form in which two spellings of one address are equal.
  email text,
  email_key text unique,
  email_verified_at timestamptz,
  -- E.164, so it is its own key.
  mobile text unique,
  mobile_verified_at timestamptz,
  username text,
  username_key text unique,
  name text,
  first_name text,
  last_name text,
  -- argon2id in PHC form; null for accounts that sign in by code only.
  password_hash text,
  password_changed_at timestamptz,
  role text not null default 'user' check (role in ('user', 'admin')),
  plan text not null default 'basic' check (plan in ('basic', 'pro')),
  status text not null default 'active' check (status in ('pending', 'active', 'banned')),
  -- Set when its erasure has begun: from then on it cannot be seen or used.
  erasing_at timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  check (email is not null or mobile is not null),
  check ((email is null) = (email_key is null)),
  check ((username is null) = (username_key is null))
) with (fillfactor = 80);

create index accounts_erasing on accounts (erasing_at) where erasing_at is not null;
create index accounts_pending on accounts (created_at) where status = 'pending';

-- One sign-in on one device.
create table sessions (
  id uuid primary key,
  account_id uuid not null references accounts (id) on delete cascade,
  name text not null,
  user_agent text,
  ip text,
  -- The network of `ip` (IPv6 by /64): where this account has signed in before.
  network text,
  created_at timestamptz not null,
  last_used_at timestamptz not null,
  expires_at timestamptz not null,
  ended_at timestamptz,
  end_reason text check (
    end_reason in ('logout', 'revoked', 'password-changed', 'password-reset', 'refresh-reuse', 'banned', 'erased', 'replaced')
  ),
  check ((ended_at is null) = (end_reason is null))
) with (fillfactor = 80);

create index sessions_by_account on sessions (account_id, last_used_at desc);
create index sessions_by_expiry on sessions (expires_at);

-- The family of a session's refresh tokens. Tokens are kept as SHA-256 of 256 random bits, never as themselves.
create table refresh_tokens (
  id uuid primary key,
  session_id uuid not null references sessions (id) on delete cascade,
  parent_id uuid unique references refresh_tokens (id) on delete cascade,
  token_hash bytea not null unique,
  created_at timestamptz not null,
  expires_at timestamptz not null,
  -- When it was exchanged for its one child.
  used_at timestamptz
) with (fillfactor = 80);

create index refresh_tokens_by_session on refresh_tokens (session_id);

-- The newest code of an address for a purpose; a new one replaces it.
create table one_time_codes (
  address text not null,
  purpose text not null check (purpose in ('sign-up', 'sign-in', 'verification', 'password-reset', 'account-deletion', 'address-change')),
  channel text not null check (channel in ('email', 'mobile')),
  -- Whose code it is; null while the address has no account.
  account_id uuid references accounts (id) on delete cascade,
  -- A keyed hash over purpose, address and code.
  code_hash bytea not null,
  attempts smallint not null default 0,
  -- Wrong tries in a row for this address and purpose, over all codes since the last right one.
  failures integer not null default 0,
  created_at timestamptz not null,
  expires_at timestamptz not null,
  used_at timestamptz,
  primary key (address, purpose)
) with (fillfactor = 80);

create index one_time_codes_by_account on one_time_codes (account_id) where account_id is not null;
create index one_time_codes_by_expiry on one_time_codes (expires_at);

-- What a right code is exchanged for, and what a reset link carries: one purpose, one address, one use.
create table verification_tokens (
  id uuid primary key,
  token_hash bytea not null unique,
  purpose text not null,
  channel text not null check (channel in ('email', 'mobile')),
  address text not null,
  account_id uuid references accounts (id) on delete cascade,
  created_at timestamptz not null,
  expires_at timestamptz not null,
  used_at timestamptz
);

create index verification_tokens_by_account on verification_tokens (account_id) where account_id is not null;
create index verification_tokens_by_expiry on verification_tokens (expires_at);

-- What happened to an account's security. Rows are only added; they go when the account is erased or they are too old.
create table security_events (
  id uuid primary key,
  -- Null when nobody could be named, such as a failed sign-in to an unknown address.
  account_id uuid references accounts (id) on delete cascade,
  kind text not null,
  session_id uuid,
  -- Who did it, when it was not the account itself: an administrator.
  actor_id uuid,
  ip text,
  user_agent text,
  detail jsonb not null default '{}',
  created_at timestamptz not null
);

create index security_events_by_account on security_events (account_id, created_at desc, id desc);
create index security_events_by_time on security_events (created_at desc, id desc);

create function keep_security_events() returns trigger language plpgsql as $$
begin
  if tg_op = 'DELETE' and current_setting('atelier.erasing', true) = 'on' then
    return old;
  end if;
  raise exception 'security events are append-only';
end
$$;

create trigger security_events_are_kept before update or delete on security_events
  for each row execute function keep_security_events();
