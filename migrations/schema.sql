-- The schema after all migrations. Made by `npm run schema`; a test compares it. Do not edit.

create extension btree_gin;

create extension pg_trgm;

CREATE OR REPLACE FUNCTION public.enter_credits(account uuid, entry_kind text, amount bigint, reference_text text, note_text text, actor uuid)
 RETURNS bigint
 LANGUAGE plpgsql
AS $function$
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
$function$;

CREATE OR REPLACE FUNCTION public.keep_ledger_entries()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
begin
  if tg_op = 'DELETE' and current_setting('atelier.erasing', true) = 'on' then
    return old;
  end if;
  raise exception 'ledger entries are append-only';
end
$function$;

CREATE OR REPLACE FUNCTION public.keep_security_events()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
begin
  if tg_op = 'DELETE' and current_setting('atelier.erasing', true) = 'on' then
    return old;
  end if;
  raise exception 'security events are append-only';
end
$function$;

CREATE OR REPLACE FUNCTION public.note_content_end()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
begin
  insert into content_notices (account_id, job_id, generation_id)
    values (new.account_id, new.conversation_id, new.id) on conflict (generation_id) do nothing;
  return null;
end
$function$;

CREATE OR REPLACE FUNCTION public.refuse_repeated(account uuid, key text)
 RETURNS boolean
 LANGUAGE plpgsql
AS $function$
begin
  if key is not null and exists (select from generations where account_id = account and idempotency_key = key) then
    raise unique_violation using constraint = 'generations_idempotency', message = 'the key was used before';
  end if;
  return true;
end
$function$;

CREATE OR REPLACE FUNCTION public.release_hold_of_deleted()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
begin
  if exists (select from accounts where id = old.account_id and erasing_at is null) then
    perform settle_hold(old.account_id, old.id, old.hold_micro_credits, 0, old.counted_on);
  end if;
  return old;
end
$function$;

CREATE OR REPLACE FUNCTION public.settle_hold(account uuid, generation uuid, held bigint, cost bigint, day_given_back date)
 RETURNS bigint
 LANGUAGE plpgsql
AS $function$
declare
  used bigint := least(greatest(cost, 0), held);
  balance bigint;
begin
  if held > 0 then
    update balances set micro_credits = micro_credits + held - used, updated_at = now()
      where account_id = account returning micro_credits into balance;
    insert into ledger_entries (account_id, kind, amount_micro_credits, balance_micro_credits, generation_id)
      select account, kind, amount, after, generation
      from (values ('release', held, balance + used), ('settle', -used, balance)) entry (kind, amount, after)
      where amount <> 0;
  end if;
  if day_given_back is not null then
    update daily_messages set count = count - 1
      where account_id = account and day = day_given_back and count > 0;
  end if;
  return used;
end
$function$;

CREATE OR REPLACE FUNCTION public.take_hold(account uuid, generation uuid, amount bigint, is_counted boolean, limits jsonb)
 RETURNS date
 LANGUAGE plpgsql
AS $function$
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
$function$;

create table accounts (
  id uuid not null,
  email text,
  email_key text,
  email_verified_at timestamp with time zone,
  mobile text,
  mobile_verified_at timestamp with time zone,
  username text,
  username_key text,
  name text,
  first_name text,
  last_name text,
  password_hash text,
  password_changed_at timestamp with time zone,
  role text not null default 'user'::text,
  plan text not null default 'basic'::text,
  status text not null default 'active'::text,
  erasing_at timestamp with time zone,
  created_at timestamp with time zone not null default now(),
  updated_at timestamp with time zone not null default now(),
  constraint accounts_pkey primary key (id),
  constraint accounts_email_key_key unique (email_key),
  constraint accounts_mobile_key unique (mobile),
  constraint accounts_username_key_key unique (username_key),
  constraint accounts_check check (email is not null or mobile is not null),
  constraint accounts_check1 check ((email is null) = (email_key is null)),
  constraint accounts_check2 check ((username is null) = (username_key is null)),
  constraint accounts_plan_check check (plan ~ '^[a-z][a-z0-9-]{0,39}$'::text),
  constraint accounts_role_check check (role = any (array['user'::text, 'admin'::text])),
  constraint accounts_status_check check (status = any (array['pending'::text, 'active'::text, 'banned'::text]))
) with (fillfactor=80);
create index accounts_erasing on accounts using btree (erasing_at) where (erasing_at is not null);
create index accounts_on_other_plans on accounts using btree (plan) where (plan <> 'basic'::text);
create index accounts_pending on accounts using btree (created_at) where (status = 'pending'::text);

create table artifact_files (
  artifact_id uuid not null,
  position integer not null,
  path text not null,
  language text not null,
  size integer not null,
  sha256 text not null,
  constraint artifact_files_pkey primary key (artifact_id, "position"),
  constraint artifact_files_artifact_id_path_key unique (artifact_id, path),
  constraint artifact_files_artifact_id_fkey foreign key (artifact_id) references artifacts(id) on delete cascade
);

create table artifacts (
  id uuid not null,
  account_id uuid not null,
  conversation_id uuid not null,
  message_id uuid not null,
  generation_id uuid not null,
  lineage_id uuid not null,
  version integer not null,
  title text not null,
  type text not null,
  language text not null,
  is_complete boolean not null,
  created_at timestamp with time zone not null default now(),
  consolidated_into uuid,
  constraint artifacts_pkey primary key (id),
  constraint artifacts_lineage_id_version_key unique (lineage_id, version),
  constraint artifacts_type_check check (type = any (array['CODE'::text, 'HTML'::text, 'CSS'::text, 'REACT'::text, 'JAVASCRIPT'::text, 'TYPESCRIPT'::text, 'PYTHON'::text, 'OTHER'::text])),
  constraint artifacts_version_check check (version > 0),
  constraint artifacts_account_id_fkey foreign key (account_id) references accounts(id) on delete cascade,
  constraint artifacts_consolidated_into_fkey foreign key (consolidated_into) references artifacts(id) on delete set null,
  constraint artifacts_conversation_id_fkey foreign key (conversation_id) references conversations(id) on delete cascade,
  constraint artifacts_message_id_fkey foreign key (message_id) references messages(id) on delete cascade
);
create index artifacts_by_account on artifacts using btree (account_id);
create index artifacts_by_consolidation on artifacts using btree (consolidated_into) where (consolidated_into is not null);
create index artifacts_by_conversation on artifacts using btree (conversation_id, created_at desc, id desc);
create index artifacts_by_message on artifacts using btree (message_id);

create table balances (
  account_id uuid not null,
  micro_credits bigint not null default 0,
  updated_at timestamp with time zone not null default now(),
  constraint balances_pkey primary key (account_id),
  constraint balances_account_id_fkey foreign key (account_id) references accounts(id) on delete cascade
) with (fillfactor=70);

create table content_notices (
  seq bigint not null generated always as identity,
  account_id uuid not null,
  job_id uuid not null,
  generation_id uuid not null,
  created_at timestamp with time zone not null default now(),
  delivered_at timestamp with time zone,
  constraint content_notices_pkey primary key (seq),
  constraint content_notices_generation_id_key unique (generation_id),
  constraint content_notices_account_id_fkey foreign key (account_id) references accounts(id) on delete cascade,
  constraint content_notices_generation_id_fkey foreign key (generation_id) references generations(id) on delete cascade,
  constraint content_notices_job_id_fkey foreign key (job_id) references conversations(id) on delete cascade
) with (fillfactor=80);
create index content_notices_by_account on content_notices using btree (account_id, seq);
create index content_notices_by_job on content_notices using btree (job_id);

create table conversations (
  id uuid not null,
  account_id uuid not null,
  kind text not null,
  title text not null,
  title_source text not null default 'auto'::text,
  system_prompt text,
  summary text,
  summary_until integer not null default 0,
  message_count integer not null default 0,
  created_at timestamp with time zone not null default now(),
  updated_at timestamp with time zone not null default now(),
  description text,
  constraint conversations_pkey primary key (id),
  constraint conversations_kind_check check (kind = any (array['chat'::text, 'plugin'::text, 'content'::text])),
  constraint conversations_title_source_check check (title_source = any (array['auto'::text, 'user'::text])),
  constraint conversations_account_id_fkey foreign key (account_id) references accounts(id) on delete cascade
);
create index conversations_by_account on conversations using btree (account_id, updated_at desc, id desc);
create index conversations_of_content on conversations using btree (account_id, id desc) where (kind = 'content'::text);
create index conversations_parts on conversations using gin (account_id, title gin_trgm_ops) where (kind = 'chat'::text);

create table customer_removals (
  provider text not null,
  customer_id text not null,
  asked_at timestamp with time zone not null default now(),
  constraint customer_removals_pkey primary key (provider, customer_id)
);

create table daily_messages (
  account_id uuid not null,
  day date not null,
  count integer not null,
  constraint daily_messages_pkey primary key (account_id, day),
  constraint daily_messages_account_id_fkey foreign key (account_id) references accounts(id) on delete cascade
) with (fillfactor=70);

create table generations (
  id uuid not null,
  account_id uuid not null,
  kind text not null,
  conversation_id uuid,
  message_id uuid,
  reply_id uuid,
  status text not null,
  finish_reason text,
  model text not null,
  reply_offset integer not null default 0,
  settings jsonb not null,
  input_tokens integer,
  output_tokens integer,
  cached_input_tokens integer,
  usage_estimated boolean not null default false,
  cost_micro_credits bigint not null default 0,
  error jsonb,
  last_seq integer not null default 0,
  marks jsonb not null default '[]'::jsonb,
  is_job boolean not null default false,
  attempts integer not null default 0,
  idempotency_key text,
  request_hash bytea,
  is_cancel_wanted boolean not null default false,
  runner text,
  heartbeat_at timestamp with time zone,
  created_at timestamp with time zone not null default now(),
  started_at timestamp with time zone,
  finished_at timestamp with time zone,
  hold_micro_credits bigint not null default 0,
  key_id uuid,
  counted_on date,
  constraint generations_pkey primary key (id),
  constraint generations_status_check check (status = any (array['queued'::text, 'running'::text, 'completed'::text, 'failed'::text, 'cancelled'::text, 'interrupted'::text])),
  constraint generations_account_id_fkey foreign key (account_id) references accounts(id) on delete cascade,
  constraint generations_conversation_id_fkey foreign key (conversation_id) references conversations(id) on delete cascade
) with (fillfactor=70);
create index generations_by_account on generations using btree (account_id, created_at desc);
create index generations_by_conversation on generations using btree (conversation_id, created_at);
create unique index generations_idempotency on generations using btree (account_id, idempotency_key) where (idempotency_key is not null);
create index generations_open on generations using btree (heartbeat_at) where (status = any (array['queued'::text, 'running'::text]));
CREATE TRIGGER content_ends_are_noted AFTER UPDATE OF status ON generations FOR EACH ROW WHEN (new.kind = 'content'::text AND old.status IS DISTINCT FROM new.status AND (new.status = ANY (ARRAY['completed'::text, 'failed'::text, 'cancelled'::text, 'interrupted'::text]))) EXECUTE FUNCTION note_content_end();
CREATE TRIGGER generations_release_holds BEFORE DELETE ON generations FOR EACH ROW WHEN ((old.status = ANY (ARRAY['queued'::text, 'running'::text])) AND (old.hold_micro_credits > 0 OR old.counted_on IS NOT NULL)) EXECUTE FUNCTION release_hold_of_deleted();

create table key_preferences (
  account_id uuid not null,
  preference text not null,
  activated_at timestamp with time zone,
  locked_until timestamp with time zone,
  updated_at timestamp with time zone not null default now(),
  constraint key_preferences_pkey primary key (account_id),
  constraint key_preferences_preference_check check (preference = any (array['platform'::text, 'byok'::text])),
  constraint key_preferences_account_id_fkey foreign key (account_id) references accounts(id) on delete cascade
);

create table ledger_entries (
  id uuid not null default gen_random_uuid(),
  seq bigint not null generated always as identity,
  account_id uuid not null,
  kind text not null,
  amount_micro_credits bigint not null,
  balance_micro_credits bigint not null,
  generation_id uuid,
  reference text,
  note text,
  actor_id uuid,
  created_at timestamp with time zone not null default now(),
  constraint ledger_entries_pkey primary key (id),
  constraint ledger_entries_check check (((
CASE sign(amount_micro_credits::double precision)
    WHEN 1 THEN '+'::text
    WHEN '-1'::integer THEN '-'::text
    ELSE '0'::text
END ||
CASE
    WHEN generation_id is null THEN ''::text
    ELSE 'g'::text
END) || kind) ~ '^([+](grant|purchase|refund|grelease)|-(clawback|ghold|gsettle)|[+-]adjustment)$'::text),
  constraint ledger_entries_account_id_fkey foreign key (account_id) references accounts(id) on delete cascade
);
create index ledger_entries_by_account on ledger_entries using btree (account_id, seq desc);
create unique index ledger_entries_once_per_generation on ledger_entries using btree (generation_id, kind) where (generation_id is not null);
create unique index ledger_entries_once_per_reference on ledger_entries using btree (account_id, kind, reference) where (reference is not null);
CREATE TRIGGER ledger_entries_are_kept BEFORE DELETE OR UPDATE ON ledger_entries FOR EACH ROW EXECUTE FUNCTION keep_ledger_entries();

create table library_entries (
  id uuid not null,
  account_id uuid not null,
  title text not null,
  type text not null,
  body text not null,
  job_id uuid,
  generation_id uuid,
  model text,
  version integer not null default 1,
  created_at timestamp with time zone not null default now(),
  updated_at timestamp with time zone not null default now(),
  words tsvector not null generated always as (to_tsvector('simple'::regconfig, "left"(((((title || ' '::text) || type) || ' '::text) || body), 100000))) stored,
  folded text not null generated always as (lower(((((title || ' '::text) || type) || ' '::text) || body))) stored,
  constraint library_entries_pkey primary key (id),
  constraint library_entries_account_id_fkey foreign key (account_id) references accounts(id) on delete cascade
);
create index library_entries_by_account on library_entries using btree (account_id, id desc);
create unique index library_entries_once on library_entries using btree (account_id, generation_id) where (generation_id is not null);
create index library_entries_parts on library_entries using gin (folded gin_trgm_ops);
create index library_entries_words on library_entries using gin (words);

create table master_keys (
  number integer not null generated always as identity,
  fingerprint bytea not null,
  created_at timestamp with time zone not null default now(),
  constraint master_keys_pkey primary key (number),
  constraint master_keys_fingerprint_key unique (fingerprint)
);

create table messages (
  id uuid not null,
  conversation_id uuid not null,
  account_id uuid not null,
  position integer not null,
  version integer not null default 1,
  is_superseded boolean not null default false,
  role text not null,
  content text not null,
  generation_id uuid,
  created_at timestamp with time zone not null default now(),
  is_whole boolean not null default true,
  constraint messages_pkey primary key (id),
  constraint messages_conversation_id_position_version_key unique (conversation_id, "position", version),
  constraint messages_role_check check (role = any (array['user'::text, 'assistant'::text])),
  constraint messages_conversation_id_fkey foreign key (conversation_id) references conversations(id) on delete cascade
) with (fillfactor=80);
create index messages_by_generation on messages using btree (generation_id) where (generation_id is not null);
create index messages_growing on messages using btree (account_id) where (not is_whole);
create index messages_parts on messages using gin (account_id, content gin_trgm_ops) where is_whole;

create table one_time_codes (
  address text not null,
  purpose text not null,
  channel text not null,
  account_id uuid,
  code_hash bytea not null,
  attempts smallint not null default 0,
  failures integer not null default 0,
  created_at timestamp with time zone not null,
  expires_at timestamp with time zone not null,
  used_at timestamp with time zone,
  constraint one_time_codes_pkey primary key (address, purpose),
  constraint one_time_codes_channel_check check (channel = any (array['email'::text, 'mobile'::text])),
  constraint one_time_codes_purpose_check check (purpose = any (array['sign-up'::text, 'sign-in'::text, 'verification'::text, 'password-reset'::text, 'account-deletion'::text, 'address-change'::text])),
  constraint one_time_codes_account_id_fkey foreign key (account_id) references accounts(id) on delete cascade
) with (fillfactor=80);
create index one_time_codes_by_account on one_time_codes using btree (account_id) where (account_id is not null);
create index one_time_codes_by_expiry on one_time_codes using btree (expires_at);

create table payment_customers (
  provider text not null,
  customer_id text not null,
  account_id uuid not null,
  created_at timestamp with time zone not null default now(),
  constraint payment_customers_pkey primary key (provider, customer_id),
  constraint payment_customers_account_id_fkey foreign key (account_id) references accounts(id) on delete cascade
);
create unique index payment_customers_by_account on payment_customers using btree (account_id, provider);

create table payment_events (
  provider text not null,
  event_id text not null,
  account_id uuid not null,
  type text not null,
  received_at timestamp with time zone not null default now(),
  constraint payment_events_pkey primary key (provider, event_id),
  constraint payment_events_account_id_fkey foreign key (account_id) references accounts(id) on delete cascade
);
create index payment_events_by_account on payment_events using btree (account_id);

create table payments (
  id uuid not null,
  account_id uuid not null,
  provider text not null,
  kind text not null,
  item text not null,
  micro_credits bigint not null,
  amount_cents bigint not null,
  currency text not null,
  paid_at timestamp with time zone,
  failed_at timestamp with time zone,
  failure text,
  refunded_cents bigint not null default 0,
  disputed_cents bigint not null default 0,
  dispute text,
  clawed_micro_credits bigint not null default 0,
  session_id text,
  payment_intent_id text,
  invoice_id text,
  subscription_id text,
  period_start timestamp with time zone,
  period_end timestamp with time zone,
  created_at timestamp with time zone not null default now(),
  constraint payments_pkey primary key (id),
  constraint payments_amount_cents_check check (amount_cents >= 0),
  constraint payments_check check (clawed_micro_credits >= 0 and clawed_micro_credits <= micro_credits),
  constraint payments_dispute_check check (dispute = any (array['open'::text, 'won'::text, 'lost'::text])),
  constraint payments_disputed_cents_check check (disputed_cents >= 0),
  constraint payments_kind_check check (kind = any (array['package'::text, 'plan'::text])),
  constraint payments_micro_credits_check check (micro_credits >= 0),
  constraint payments_refunded_cents_check check (refunded_cents >= 0),
  constraint payments_account_id_fkey foreign key (account_id) references accounts(id) on delete cascade
);
create index payments_by_account on payments using btree (account_id, id desc);
create index payments_by_intent on payments using btree (provider, payment_intent_id) where (payment_intent_id is not null);
create index payments_by_subscription on payments using btree (provider, subscription_id) where (subscription_id is not null);
create unique index payments_once_per_invoice on payments using btree (provider, invoice_id) where (invoice_id is not null);

create table plan_checkouts (
  account_id uuid not null,
  provider text not null,
  wish text not null,
  idempotency_key text not null,
  session_id text,
  created_at timestamp with time zone not null default now(),
  constraint plan_checkouts_pkey primary key (account_id, provider),
  constraint plan_checkouts_account_id_fkey foreign key (account_id) references accounts(id) on delete cascade
);

create table plugin_client_messages (
  id uuid not null,
  plugin_id uuid not null,
  account_id uuid not null,
  sender text not null,
  content text not null,
  after_position integer not null,
  created_at timestamp with time zone not null default now(),
  constraint plugin_client_messages_pkey primary key (id),
  constraint plugin_client_messages_sender_check check (sender = any (array['user'::text, 'plugin_generator'::text])),
  constraint plugin_client_messages_plugin_id_fkey foreign key (plugin_id) references plugins(id) on delete cascade
);
create index plugin_client_messages_by_plugin on plugin_client_messages using btree (plugin_id, id);

create table plugin_runs (
  turn_id uuid not null,
  attempt integer not null,
  generation_id uuid not null,
  message_id uuid not null,
  reply_id uuid not null,
  constraint plugin_runs_pkey primary key (turn_id, attempt),
  constraint plugin_runs_generation_id_key unique (generation_id),
  constraint plugin_runs_turn_id_fkey foreign key (turn_id) references plugin_turns(id) on delete cascade
);

create table plugin_turns (
  id uuid not null,
  plugin_id uuid not null,
  account_id uuid not null,
  purpose text not null,
  outcome text not null default 'open'::text,
  version integer,
  idempotency_key text,
  created_at timestamp with time zone not null default now(),
  ended_at timestamp with time zone,
  constraint plugin_turns_pkey primary key (id),
  constraint plugin_turns_outcome_check check (outcome = any (array['open'::text, 'passed'::text, 'answered'::text, 'errors'::text, 'failed'::text])),
  constraint plugin_turns_purpose_check check (purpose = any (array['draft'::text, 'final'::text])),
  constraint plugin_turns_plugin_id_fkey foreign key (plugin_id) references plugins(id) on delete cascade
);
create index plugin_turns_by_plugin on plugin_turns using btree (plugin_id, id);
create unique index plugin_turns_idempotency on plugin_turns using btree (account_id, idempotency_key) where (idempotency_key is not null);
create unique index plugin_turns_one_open on plugin_turns using btree (plugin_id) where (outcome = 'open'::text);

create table plugin_versions (
  plugin_id uuid not null,
  version integer not null,
  account_id uuid not null,
  origin text not null,
  code text not null,
  report jsonb not null,
  errors integer not null,
  warnings integer not null,
  generation_id uuid,
  after_position integer not null,
  created_at timestamp with time zone not null default now(),
  constraint plugin_versions_pkey primary key (plugin_id, version),
  constraint plugin_versions_generation_id_key unique (generation_id),
  constraint plugin_versions_check check ((origin = 'model'::text) = (generation_id is not null)),
  constraint plugin_versions_origin_check check (origin = any (array['model'::text, 'client'::text])),
  constraint plugin_versions_version_check check (version > 0),
  constraint plugin_versions_plugin_id_fkey foreign key (plugin_id) references plugins(id) on delete cascade
);

create table plugins (
  id uuid not null,
  account_id uuid not null,
  conversation_id uuid not null,
  version_count integer not null default 0,
  final_version integer,
  saved_version integer,
  created_at timestamp with time zone not null default now(),
  constraint plugins_pkey primary key (id),
  constraint plugins_conversation_id_key unique (conversation_id),
  constraint plugins_account_id_fkey foreign key (account_id) references accounts(id) on delete cascade,
  constraint plugins_conversation_id_fkey foreign key (conversation_id) references conversations(id) on delete cascade
);
create index plugins_by_account on plugins using btree (account_id, id desc);

create table provider_key_usage (
  key_id uuid not null,
  account_id uuid not null,
  day date not null,
  calls integer not null default 0,
  errors integer not null default 0,
  input_tokens bigint not null default 0,
  output_tokens bigint not null default 0,
  constraint provider_key_usage_pkey primary key (key_id, day),
  constraint provider_key_usage_account_id_fkey foreign key (account_id) references accounts(id) on delete cascade,
  constraint provider_key_usage_key_id_fkey foreign key (key_id) references provider_keys(id) on delete cascade
) with (fillfactor=70);
create index provider_key_usage_by_account on provider_key_usage using btree (account_id, day);

create table provider_keys (
  id uuid not null,
  account_id uuid not null,
  provider text not null,
  name text not null,
  base_url text,
  models text[] not null default '{}'::text[],
  is_active boolean not null,
  falls_back_to_credits boolean not null default false,
  sealed_key bytea not null,
  sealed_data_key bytea not null,
  master_key integer not null,
  fingerprint text not null,
  last_four text,
  last_used_at timestamp with time zone,
  last_error jsonb,
  last_error_at timestamp with time zone,
  created_at timestamp with time zone not null default now(),
  updated_at timestamp with time zone not null default now(),
  constraint provider_keys_pkey primary key (id),
  constraint provider_keys_check check (provider <> 'custom'::text or base_url is not null),
  constraint provider_keys_provider_check check (provider = any (array['openai'::text, 'gemini'::text, 'anthropic'::text, 'openrouter'::text, 'perplexity'::text, 'custom'::text])),
  constraint provider_keys_account_id_fkey foreign key (account_id) references accounts(id) on delete cascade,
  constraint provider_keys_master_key_fkey foreign key (master_key) references master_keys(number)
);
create index provider_keys_by_account on provider_keys using btree (account_id, created_at desc);
create index provider_keys_by_master_key on provider_keys using btree (master_key, id);
create unique index provider_keys_one_active on provider_keys using btree (account_id, provider) where is_active;

create table refresh_tokens (
  id uuid not null,
  session_id uuid not null,
  parent_id uuid,
  token_hash bytea not null,
  created_at timestamp with time zone not null,
  expires_at timestamp with time zone not null,
  used_at timestamp with time zone,
  constraint refresh_tokens_pkey primary key (id),
  constraint refresh_tokens_parent_id_key unique (parent_id),
  constraint refresh_tokens_token_hash_key unique (token_hash),
  constraint refresh_tokens_parent_id_fkey foreign key (parent_id) references refresh_tokens(id) on delete cascade,
  constraint refresh_tokens_session_id_fkey foreign key (session_id) references sessions(id) on delete cascade
) with (fillfactor=80);
create index refresh_tokens_by_session on refresh_tokens using btree (session_id);

create table sandbox_events (
  id text not null,
  seq bigint not null generated always as identity,
  customer_id text not null,
  body text not null,
  attempts integer not null default 0,
  next_at timestamp with time zone not null default now(),
  constraint sandbox_events_pkey primary key (id)
);
create index sandbox_events_by_time on sandbox_events using btree (next_at);

create table sandbox_objects (
  id text not null,
  kind text not null,
  customer_id text not null,
  body jsonb not null,
  created_at timestamp with time zone not null default now(),
  constraint sandbox_objects_pkey primary key (id)
);
create index sandbox_objects_by_customer on sandbox_objects using btree (customer_id, kind);

create table security_events (
  id uuid not null,
  account_id uuid,
  kind text not null,
  session_id uuid,
  actor_id uuid,
  ip text,
  user_agent text,
  detail jsonb not null default '{}'::jsonb,
  created_at timestamp with time zone not null,
  constraint security_events_pkey primary key (id),
  constraint security_events_account_id_fkey foreign key (account_id) references accounts(id) on delete cascade
);
create index security_events_by_account on security_events using btree (account_id, created_at desc, id desc);
create index security_events_by_time on security_events using btree (created_at desc, id desc);
CREATE TRIGGER security_events_are_kept BEFORE DELETE OR UPDATE ON security_events FOR EACH ROW EXECUTE FUNCTION keep_security_events();

create table sessions (
  id uuid not null,
  account_id uuid not null,
  name text not null,
  user_agent text,
  ip text,
  network text,
  created_at timestamp with time zone not null,
  last_used_at timestamp with time zone not null,
  expires_at timestamp with time zone not null,
  ended_at timestamp with time zone,
  end_reason text,
  constraint sessions_pkey primary key (id),
  constraint sessions_check check ((ended_at is null) = (end_reason is null)),
  constraint sessions_end_reason_check check (end_reason = any (array['logout'::text, 'revoked'::text, 'password-changed'::text, 'password-reset'::text, 'refresh-reuse'::text, 'banned'::text, 'erased'::text, 'replaced'::text])),
  constraint sessions_account_id_fkey foreign key (account_id) references accounts(id) on delete cascade
) with (fillfactor=80);
create index sessions_by_account on sessions using btree (account_id, last_used_at desc);
create index sessions_by_expiry on sessions using btree (expires_at);

create table subscriptions (
  provider text not null,
  subscription_id text not null,
  account_id uuid not null,
  plan text not null,
  status text not null,
  current_period_end timestamp with time zone,
  cancel_at_period_end boolean not null,
  told_at timestamp with time zone not null,
  told_by text not null,
  created_at timestamp with time zone not null default now(),
  begun_at timestamp with time zone,
  constraint subscriptions_pkey primary key (provider, subscription_id),
  constraint subscriptions_account_id_fkey foreign key (account_id) references accounts(id) on delete cascade
);
create index subscriptions_by_account on subscriptions using btree (account_id);

create table usage_days (
  account_id uuid not null,
  day date not null,
  model text not null,
  kind text not null,
  payer text not null,
  runs integer not null default 0,
  failures integer not null default 0,
  input_tokens bigint not null default 0,
  output_tokens bigint not null default 0,
  cost_micro_credits bigint not null default 0,
  constraint usage_days_pkey primary key (account_id, day, model, kind, payer),
  constraint usage_days_account_id_fkey foreign key (account_id) references accounts(id) on delete cascade
) with (fillfactor=70);

create table verification_tokens (
  id uuid not null,
  token_hash bytea not null,
  purpose text not null,
  channel text not null,
  address text not null,
  account_id uuid,
  created_at timestamp with time zone not null,
  expires_at timestamp with time zone not null,
  used_at timestamp with time zone,
  constraint verification_tokens_pkey primary key (id),
  constraint verification_tokens_token_hash_key unique (token_hash),
  constraint verification_tokens_channel_check check (channel = any (array['email'::text, 'mobile'::text])),
  constraint verification_tokens_account_id_fkey foreign key (account_id) references accounts(id) on delete cascade
);
create index verification_tokens_by_account on verification_tokens using btree (account_id) where (account_id is not null);
create index verification_tokens_by_expiry on verification_tokens using btree (expires_at);
