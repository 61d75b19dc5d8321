-- What a conversation is for, in its owner's words; chatrooms of the published Gemini Backend API have one.
alter table conversations add column description text;

-- Whether an account works on the platform's credits or on its own keys, where it has said so (Autoverse Hub asks), and
-- until when it is bound to its own keys.
create table key_preferences (
  account_id uuid primary key references accounts (id) on delete cascade,
  preference text not null check (preference in ('platform', 'byok')),
  activated_at timestamptz,
  locked_until timestamptz,
  updated_at timestamptz not null default now()
);
