-- Conversations are found by a part of their title or of a message, within their account.

create extension if not exists pg_trgm;
create extension if not exists btree_gin;

-- False while a run writes it: a text that grows every second would be taken into the index every second.
alter table messages add column is_whole boolean not null default true;
update messages set is_whole = false
  where id in (select reply_id from generations where status in ('queued', 'running'));

create index messages_parts on messages using gin (account_id, content gin_trgm_ops) where is_whole;
create index messages_growing on messages (account_id) where not is_whole;
create index conversations_parts on conversations using gin (account_id, title gin_trgm_ops) where kind = 'chat';
