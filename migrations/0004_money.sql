-- Credits. 1 credit = 1,000,000 micro-credits; every change of a balance is one ledger entry.

-- The balance is what the account's entries add up to, kept in the same transaction.
create table balances (
  account_id uuid primary key references accounts (id) on delete cascade,
  -- Never below zero by spending; a clawback may leave a debt, which blocks new spending.
  micro_credits bigint not null default 0,
  updated_at timestamptz not null default now()
) with (fillfactor = 70);

create table ledger_entries (
  id uuid primary key default gen_random_uuid(),
  -- The order in which entries were written; several may share a time.
  seq bigint generated always as identity,
  account_id uuid not null references accounts (id) on delete cascade,
  kind text not null check (kind in ('grant', 'purchase', 'hold', 'settle', 'release', 'refund', 'clawback', 'adjustment')),
  amount_micro_credits bigint not null check (amount_micro_credits <> 0),
  -- The balance after this entry.
  balance_micro_credits bigint not null,
  -- The run that holds and settles belong to; without a foreign key, since history outlives conversations.
  generation_id uuid,
  -- What an entry is for, where that may happen once only: a payment, a month, a sign-up.
  reference text,
  note text,
  -- The administrator who did it.
  actor_id uuid,
  created_at timestamptz not null default now(),
  check ((kind in ('hold', 'settle', 'release')) = (generation_id is not null)),
  check (kind not in ('hold', 'settle', 'clawback') or amount_micro_credits < 0),
  check (kind not in ('grant', 'purchase', 'release', 'refund') or amount_micro_credits > 0)
);

create unique index ledger_entries_once_per_generation on ledger_entries (generation_id, kind)
  where generation_id is not null;
create unique index ledger_entries_once_per_reference on ledger_entries (account_id, kind, reference)
  where reference is not null;
create index ledger_entries_by_account on ledger_entries (account_id, seq desc);

create function keep_ledger_entries() returns trigger language plpgsql as $$
begin
  if tg_op = 'DELETE' and current_setting('atelier.erasing', true) = 'on' then
    return old;
  end if;
  raise exception 'ledger entries are append-only';
end
$$;

create trigger ledger_entries_are_kept before update or delete on ledger_entries
  for each row execute function keep_ledger_entries();

-- Messages that an account's plan has paid for on a day (UTC).
create table daily_messages (
  account_id uuid not null references accounts (id) on delete cascade,
  day date not null,
  count integer not null,
  primary key (account_id, day)
) with (fillfactor = 70);

alter table generations
  -- What was reserved for it; settled once, with the change of its status.
  add column hold_micro_credits bigint not null default 0,
  -- The provider key that pays instead of credits.
  add column key_id uuid,
  -- The day whose message limit it counts towards; null when it does not count.
  add column counted_on date;

-- Writes one entry and the balance with it. Null when its reference has been entered before.
create function enter_credits(
  account uuid, entry_kind text, amount bigint, reference_text text, note_text text, actor uuid
) returns bigint language plpgsql as $$
declare
  balance bigint;
begin
  insert into balances (account_id) values (account) on conflict do nothing;
  perform from balances where account_id = account for update;
  if reference_text is not null and exists (
    select from ledger_entries where account_id = account and kind = entry_kind and reference = reference_text
  ) then
    return null;
  end if;
  update balances set micro_credits = micro_credits + amount, updated_at = now()
    where account_id = account returning micro_credits into balance;
  insert into ledger_entries (account_id, kind, amount_micro_credits, balance_micro_credits, reference, note, actor_id)
    values (account, entry_kind, amount, balance, reference_text, note_text, actor);
  return balance;
end
$$;

-- Reserves credits for a run, and counts its message towards its plan's day; raises AT402 when the balance does not
-- suffice, and AT429 when the day is spent: then nothing of the statement remains. `limits` is {plan: messages a day}.
create function take_hold(account uuid, generation uuid, amount bigint, is_counted boolean, limits jsonb)
returns date language plpgsql as $$
declare
  today date := (now() at time zone 'UTC')::date;
  balance bigint;
begin
  update balances set micro_credits = micro_credits - amount, updated_at = now()
    where account_id = account and micro_credits >= amount returning micro_credits into balance;
  if balance is null then
    raise exception 'insufficient credits' using errcode = 'AT402';
  end if;
  if amount > 0 then
    insert into ledger_entries (account_id, kind, amount_micro_credits, balance_micro_credits, generation_id)
      values (account, 'hold', -amount, balance, generation);
  end if;
  if not is_counted then
    return null;
  end if;
  insert into daily_messages as d (account_id, day, count)
    select account, today, 1 from accounts a where a.id = account and coalesce((limits ->> a.plan)::int, 0) > 0
    on conflict (account_id, day) do update set count = d.count + 1
      where d.count < (select (limits ->> a.plan)::int from accounts a where a.id = account);
  if not found then
    raise exception 'the day is spent' using errcode = 'AT429';
  end if;
  return today;
end
$$;

-- Gives back what was reserved and takes what was used, at most that. A run that failed for our reasons gives its
-- message back too: then `day` is the day that it was counted on.
create function settle_hold(account uuid, generation uuid, held bigint, cost bigint, day_given_back date)
returns bigint language plpgsql as $$
declare
  used bigint := least(greatest(cost, 0), held);
  balance bigint;
begin
  if held > 0 then
    update balances set micro_credits = micro_credits + held - used, updated_at = now()
      where account_id = account returning micro_credits into balance;
    insert into ledger_entries (account_id, kind, amount_micro_credits, balance_micro_credits, generation_id)
      values (account, 'release', held, balance + used, generation);
    if used > 0 then
      insert into ledger_entries (account_id, kind, amount_micro_credits, balance_micro_credits, generation_id)
        values (account, 'settle', -used, balance, generation);
    end if;
  end if;
  if day_given_back is not null then
    update daily_messages set count = count - 1
      where account_id = account and day = day_given_back and count > 0;
  end if;
  return used;
end
$$;
