-- What accounts have used, a row for each day, model, kind of generation and payer; it outlives conversations.

create table usage_days (
  account_id uuid not null references accounts (id) on delete cascade,
  -- UTC.
  day date not null,
  model text not null,
  kind text not null,
  -- 'credits', or the id of the provider key that paid.
  payer text not null,
  runs integer not null default 0,
  -- Of these, the ones that came to nothing.
  failures integer not null default 0,
  input_tokens bigint not null default 0,
  output_tokens bigint not null default 0,
  cost_micro_credits bigint not null default 0,
  primary key (account_id, day, model, kind, payer)
) with (fillfactor = 70);

-- A run that goes while it is open (its conversation is deleted at that moment) gives back what it holds; when its
-- account goes, so does the balance.
create function release_hold_of_deleted() returns trigger language plpgsql as $$
begin
  if exists (select from accounts where id = old.account_id and erasing_at is null) then
    perform settle_hold(old.account_id, old.id, old.hold_micro_credits, 0, old.counted_on);
  end if;
  return old;
end
$$;

create trigger generations_release_holds before delete on generations for each row
  when (old.status in ('queued', 'running') and (old.hold_micro_credits > 0 or old.counted_on is not null))
  execute function release_hold_of_deleted();
