-- Blocks of one answer that were merged into one file: each tells the artifact that they became. They stay readable.
alter table artifacts add column consolidated_into uuid references artifacts (id) on delete set null;

create index artifacts_by_consolidation on artifacts (consolidated_into) where consolidated_into is not null;
