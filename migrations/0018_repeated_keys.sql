-- Refuses an Idempotency-Key that the account has used. The unique index would wait for the row of the first request while
-- its run ends, and that end waits for the balance, or the reply, which the second request has locked by then.
create function refuse_repeated(account uuid, key text) returns boolean language plpgsql as $$
begin
  if key is not null and exists (select from generations where account_id = account and idempotency_key = key) then
    raise unique_violation using constraint = 'generations_idempotency', message = 'the key was used before';
  end if;
  return true;
end
$$;
