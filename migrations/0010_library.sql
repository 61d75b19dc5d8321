-- Written content: jobs, which are conversations of their own kind with one question each; what is told of their ends;
-- and the library, where results are kept.

create extension if not exists pg_trgm;

alter table conversations drop constraint conversations_kind_check;
alter table conversations add constraint conversations_kind_check check (kind in ('chat', 'plugin', 'content'));

create index conversations_of_content on conversations (account_id, id desc) where kind = 'content';

-- One row for each end of a content job, in the transaction that ends it; kept until somebody has been told.
create table content_notices (
  seq bigint generated always as identity primary key,
  account_id uuid not null references accounts (id) on delete cascade,
  job_id uuid not null references conversations (id) on delete cascade,
  generation_id uuid not null unique references generations (id) on delete cascade,
  created_at timestamptz not null default now(),
  -- When a socket of the account got it first.
  delivered_at timestamptz
) with (fillfactor = 80);

create index content_notices_by_account on content_notices (account_id, seq);
create index content_notices_by_job on content_notices (job_id);

create function note_content_end() returns trigger language plpgsql as $$
begin
  insert into content_notices (account_id, job_id, generation_id)
    values (new.account_id, new.conversation_id, new.id) on conflict (generation_id) do nothing;
  return null;
end
$$;

-- Whatever ends a run (its process, a cancel, the queue that gives up) ends it here.
create trigger content_ends_are_noted after update of status on generations for each row
  when (new.kind = 'content' and old.status is distinct from new.status
    and new.status in ('completed', 'failed', 'cancelled', 'interrupted'))
  execute function note_content_end();

create table library_entries (
  id uuid primary key,
  account_id uuid not null references accounts (id) on delete cascade,
  title text not null,
  type text not null,
  body text not null,
  -- Where it came from; null for what a person wrote. Without foreign keys: an entry outlives its job.
  job_id uuid,
  generation_id uuid,
  model text,
  -- Counts edits, so that two of them do not overwrite each other unseen.
  version integer not null default 1,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  -- Words, whatever the language. A tsvector holds 1 MB: what is beyond is found by the other index.
  words tsvector not null generated always as (
    to_tsvector('simple'::regconfig, left(title || ' ' || type || ' ' || body, 100000))) stored
);

create index library_entries_by_account on library_entries (account_id, id desc);
-- A result is kept once.
create unique index library_entries_once on library_entries (account_id, generation_id) where generation_id is not null;
create index library_entries_words on library_entries using gin (words);
-- Parts of words, in the same three fields.
create index library_entries_parts on library_entries using gin ((title || ' ' || type || ' ' || body) gin_trgm_ops);
