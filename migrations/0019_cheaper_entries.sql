-- The rules of a ledger entry as one check: a statement that writes entries parses each check anew, and five of them took
-- a tenth of what a turn costs. Sign of the amount, g where a run is named, kind.
alter table ledger_entries
  drop constraint ledger_entries_amount_micro_credits_check,
  drop constraint ledger_entries_check,
  drop constraint ledger_entries_check1,
  drop constraint ledger_entries_check2,
  drop constraint ledger_entries_kind_check,
  add constraint ledger_entries_check check (
    case sign(amount_micro_credits) when 1 then '+' when -1 then '-' else '0' end
      || case when generation_id is null then '' else 'g' end || kind
      ~ '^([+](grant|purchase|refund|grelease)|-(clawback|ghold|gsettle)|[+-]adjustment)$'
  );

-- As in 0004, with both entries in one statement.
create or replace function settle_hold(account uuid, generation uuid, held bigint, cost bigint, day_given_back date)
returns bigint language plpgsql as $$
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
$$;
