-- Code that generations produced. The bytes are objects in the file store, under
-- artifacts/<account>/<conversation>/<sha256>: what a conversation says twice is stored once, and goes with it.

create table artifacts (
  id uuid primary key,
  account_id uuid not null references accounts (id) on delete cascade,
  conversation_id uuid not null references conversations (id) on delete cascade,
  -- The reply that holds the code, and the generation that wrote it.
  message_id uuid not null references messages (id) on delete cascade,
  generation_id uuid not null,
  -- Versions of one thing share a lineage: the id of the first of them.
  lineage_id uuid not null,
  version integer not null check (version > 0),
  title text not null,
  type text not null check (type in ('CODE', 'HTML', 'CSS', 'REACT', 'JAVASCRIPT', 'TYPESCRIPT', 'PYTHON', 'OTHER')),
  language text not null,
  -- False when the answer ended inside the code.
  is_complete boolean not null,
  created_at timestamptz not null default now(),
  unique (lineage_id, version)
);

create index artifacts_by_message on artifacts (message_id);
create index artifacts_by_conversation on artifacts (conversation_id, created_at desc, id desc);
create index artifacts_by_account on artifacts (account_id);

create table artifact_files (
  artifact_id uuid not null references artifacts (id) on delete cascade,
  position integer not null,
  path text not null,
  language text not null,
  size integer not null,
  -- Hex SHA-256 of the content; the last part of its object's key.
  sha256 text not null,
  primary key (artifact_id, position),
  unique (artifact_id, path)
);
