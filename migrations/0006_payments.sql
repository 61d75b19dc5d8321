-- What accounts buy, and what the payment provider says about it.

create table payment_customers (
  provider text not null,
  customer_id text not null,
  account_id uuid not null references accounts (id) on delete cascade,
  created_at timestamptz not null default now(),
  primary key (provider, customer_id)
);
create unique index payment_customers_by_account on payment_customers (account_id, provider);

-- One purchase: a package of credits, written before its checkout begins, or an invoice of a subscription. Amounts that
-- the provider tells only ever grow here, so that what it tells may arrive in any order.
create table payments (
  id uuid primary key,
  account_id uuid not null references accounts (id) on delete cascade,
  provider text not null,
  kind text not null check (kind in ('package', 'plan')),
  -- Which package or plan.
  item text not null,
  -- What it gives when it is paid, and what it costs, as decided when it began.
  micro_credits bigint not null check (micro_credits >= 0),
  amount_cents bigint not null check (amount_cents >= 0),
  currency text not null,
  paid_at timestamptz,
  -- The last attempt that failed.
  failed_at timestamptz,
  failure text,
  refunded_cents bigint not null default 0 check (refunded_cents >= 0),
  disputed_cents bigint not null default 0 check (disputed_cents >= 0),
  -- A dispute that was decided stays decided.
  dispute text check (dispute in ('open', 'won', 'lost')),
  -- How much of what it gave was taken back.
  clawed_micro_credits bigint not null default 0 check (clawed_micro_credits between 0 and micro_credits),
  session_id text,
  payment_intent_id text,
  invoice_id text,
  subscription_id text,
  period_start timestamptz,
  period_end timestamptz,
  created_at timestamptz not null default now()
);
create index payments_by_account on payments (account_id, id desc);
create unique index payments_once_per_invoice on payments (provider, invoice_id) where invoice_id is not null;
create index payments_by_intent on payments (provider, payment_intent_id) where payment_intent_id is not null;
create index payments_by_subscription on payments (provider, subscription_id) where subscription_id is not null;

create table subscriptions (
  provider text not null,
  subscription_id text not null,
  account_id uuid not null references accounts (id) on delete cascade,
  plan text not null,
  -- As the provider names it; canceled and incomplete_expired are final.
  status text not null,
  current_period_end timestamptz,
  cancel_at_period_end boolean not null,
  -- When the provider said so, and the event by which it did.
  told_at timestamptz not null,
  told_by text not null,
  created_at timestamptz not null default now(),
  primary key (provider, subscription_id)
);
create index subscriptions_by_account on subscriptions (account_id);

-- Events that had their effect; kept as long as that effect.
create table payment_events (
  provider text not null,
  event_id text not null,
  account_id uuid not null references accounts (id) on delete cascade,
  type text not null,
  received_at timestamptz not null default now(),
  primary key (provider, event_id)
);
create index payment_events_by_account on payment_events (account_id);

-- What the sandbox provider keeps: the same things that Stripe would.
create table sandbox_objects (
  id text primary key,
  kind text not null,
  customer_id text not null,
  body jsonb not null,
  created_at timestamptz not null default now()
);
create index sandbox_objects_by_customer on sandbox_objects (customer_id, kind);

-- Events of the sandbox provider that are yet to be delivered.
create table sandbox_events (
  id text primary key,
  seq bigint generated always as identity,
  customer_id text not null,
  body text not null,
  attempts integer not null default 0,
  next_at timestamptz not null default now()
);
create index sandbox_events_by_time on sandbox_events (next_at);
