-- Plans that the operator defines, one checkout for a plan at a time, and customers that are yet to be removed.

-- Which names are plans is the catalogue's to say; a name that it does not know (any more) counts as basic.
alter table accounts drop constraint accounts_plan_check;
alter table accounts add constraint accounts_plan_check check (plan ~ '^[a-z][a-z0-9-]{0,39}$');
create index accounts_on_other_plans on accounts (plan) where plan <> 'basic';

-- As in 0004, and a plan without a limit of its own has that of basic.
create or replace function take_hold(account uuid, generation uuid, amount bigint, is_counted boolean, limits jsonb)
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
    select account, today, 1 from accounts a
    where a.id = account and coalesce(limits ->> a.plan, limits ->> 'basic', '0')::int > 0
    on conflict (account_id, day) do update set count = d.count + 1
      where d.count < (select coalesce(limits ->> a.plan, limits ->> 'basic')::int from accounts a where a.id = account);
  if not found then
    raise exception 'the day is spent' using errcode = 'AT429';
  end if;
  return today;
end
$$;

-- When the provider says that it began; of two that one account has, the first one counts.
alter table subscriptions add column begun_at timestamptz;

-- The one checkout for a plan that an account may have open. Its key is written before the provider is asked, so that
-- who asks at the same time, or once more, is led to the same page.
create table plan_checkouts (
  account_id uuid not null references accounts (id) on delete cascade,
  provider text not null,
  -- A hash of all that was asked for.
  wish text not null,
  idempotency_key text not null,
  -- Null until the provider has answered.
  session_id text,
  created_at timestamptz not null default now(),
  primary key (account_id, provider)
);

-- Customers of erased accounts whom the provider still has; of the account nothing else is left.
create table customer_removals (
  provider text not null,
  customer_id text not null,
  asked_at timestamptz not null default now(),
  primary key (provider, customer_id)
);
