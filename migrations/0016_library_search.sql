-- Parts are looked for in small letters that are kept, because making them for each candidate takes most of a search.

drop index library_entries_parts;

alter table library_entries
  add column folded text not null generated always as (lower(title || ' ' || type || ' ' || body)) stored;

create index library_entries_parts on library_entries using gin (folded gin_trgm_ops);
