-- What must hold in the database after every fault. Each row is a broken promise: its name, whose, and details.

with sizes as (
  -- A log's length is that of its text and of the events between, see docs/decisions/0007-log-positions.md.
  select g.id,
    coalesce(sum(case
      when mark ? 'text' then char_length(mark ->> 'text')
      when mark ? 'span' then (mark ->> 'span')::int
      else 1 end), 0) as marks_size,
    count(*) filter (where mark ->> 'type' = 'generation-end') as ends,
    max((mark ->> 'seq')::int) as last_mark,
    (array_agg(mark order by (mark ->> 'seq')::int desc))[1] as final_mark
  from generations g left join jsonb_array_elements(g.marks) mark on true group by g.id
), ended as (
  select g.*, s.marks_size, s.ends, s.last_mark, s.final_mark
  from generations g join sizes s using (id) where g.status not in ('queued', 'running')
)

-- P1: every accepted message comes to one end.
select 'not ended a minute after it began' as broken, id::text, status || ' since ' || created_at as detail
from generations where status in ('queued', 'running') and created_at < now() - interval '60 seconds'
union all
select 'ended without a time', id::text, status from ended where finished_at is null
union all
select 'has a time of its end without one', id::text, status from generations
where status in ('queued', 'running') and finished_at is not null
union all
select 'does not have exactly one end in its log', id::text, ends || ' ends, ' || status from ended where ends <> 1
union all
select 'its end in the log says something else', id::text, (final_mark ->> 'status') || ' instead of ' || status
from ended where final_mark ->> 'status' is distinct from status
union all
select 'its end is not the last event', id::text, last_mark || ' of ' || last_seq from ended where last_mark <> last_seq

-- P15: the log can be rebuilt. Text is the reply's from its offset; a continuation writes on behind it.
union all
select 'its text is shorter than its log', e.id::text,
  (last_seq - marks_size) || ' of ' || (char_length(m.content) - reply_offset)
from ended e join messages m on m.id = e.reply_id where last_seq - marks_size > char_length(m.content) - reply_offset
union all
select 'its text is longer than its log', e.id::text,
  (last_seq - marks_size) || ' of ' || (char_length(m.content) - reply_offset)
from ended e join messages m on m.id = e.reply_id and m.generation_id = e.id
where last_seq - marks_size < char_length(m.content) - reply_offset

-- No message is lost or doubled.
union all
select 'its message or reply is missing', g.id::text, g.kind from generations g
where g.message_id is not null and (
  not exists (select from messages m where m.id = g.message_id and m.role = 'user')
  or not exists (select from messages m where m.id = g.reply_id and m.role = 'assistant'))
union all
select 'a reply that nobody wrote', m.id::text, m.conversation_id::text from messages m
where m.role = 'assistant' and not exists (select from generations g where g.id = m.generation_id and g.reply_id = m.id)
union all
select 'a question without a generation', m.id::text, m.conversation_id::text from messages m
where m.role = 'user' and not exists (select from generations g where g.message_id = m.id)
union all
select 'two current answers to one question', conversation_id::text, 'position ' || position from messages
where not is_superseded group by conversation_id, position having count(*) > 1
union all
select 'messages are not 1, 2, 3 …', c.id::text, c.message_count || ' counted, ' || count(m.id) || ' there'
from conversations c left join messages m on m.conversation_id = c.id and not m.is_superseded
group by c.id having c.message_count <> count(m.id) or c.message_count <> coalesce(max(m.position), 0)
union all
select 'question and answer do not take turns', id::text, role || ' at ' || position from messages
where (role = 'user') <> (position % 2 = 1)
union all
select 'two runs write one reply', reply_id::text, count(*) || ' runs' from generations
where status in ('queued', 'running') and reply_id is not null group by reply_id having count(*) > 1
union all
select 'something went wrong, but nothing says what', id::text, status from ended where status = 'failed' and error is null
union all
select 'complete, but with an error', id::text, error ->> 'code' from ended where status = 'completed' and error is not null

-- P2: what is charged.
union all
select 'failed, but not free', id::text, cost_micro_credits::text from ended where status = 'failed' and cost_micro_credits <> 0
union all
select 'charged without a count of tokens', id::text, cost_micro_credits::text from ended
where cost_micro_credits <> 0 and (input_tokens is null or output_tokens is null)
union all
select 'a charge below zero', id::text, cost_micro_credits::text from generations where cost_micro_credits < 0
union all
select 'its end in the log names another charge', id::text, (final_mark ->> 'costMicroCredits') || ' instead of ' || cost_micro_credits
from ended where (final_mark ->> 'costMicroCredits')::bigint is distinct from cost_micro_credits

-- P2, P3: balances, holds and what was settled.
union all
select 'a balance is not the sum of its entries', b.account_id::text, b.micro_credits || ' instead of ' || coalesce(sum(l.amount_micro_credits), 0)
from balances b left join ledger_entries l on l.account_id = b.account_id
group by b.account_id having b.micro_credits <> coalesce(sum(l.amount_micro_credits), 0)
union all
select 'a balance below zero', account_id::text, balance_micro_credits || ' after ' || kind from ledger_entries
where balance_micro_credits < 0 and kind in ('hold', 'settle', 'release')
union all
select 'an entry does not go on from the one before', account_id::text, kind || ' at ' || seq from (
  select *, lag(balance_micro_credits, 1, 0::bigint) over (partition by account_id order by seq) as earlier from ledger_entries
) entries where balance_micro_credits <> earlier + amount_micro_credits
union all
select 'an ended run still holds credits', e.id::text, e.status || ' holds ' || e.hold_micro_credits from ended e
where e.hold_micro_credits > 0 and not exists (
  select from ledger_entries l where l.generation_id = e.id and l.kind = 'release' and l.amount_micro_credits = e.hold_micro_credits)
union all
select 'charged other than its cost', e.id::text, coalesce(-l.amount_micro_credits, 0) || ' instead of ' || e.cost_micro_credits
from ended e left join ledger_entries l on l.generation_id = e.id and l.kind = 'settle'
where coalesce(-l.amount_micro_credits, 0) <> e.cost_micro_credits
union all
select 'costs more than was held', id::text, cost_micro_credits || ' of ' || hold_micro_credits from ended
where cost_micro_credits > hold_micro_credits
union all
select 'open, but settled', g.id::text, l.kind from generations g join ledger_entries l on l.generation_id = g.id
where g.status in ('queued', 'running') and l.kind <> 'hold'
union all
select 'holds what its row does not say', l.generation_id::text, (-l.amount_micro_credits)::text
from ledger_entries l join generations g on g.id = l.generation_id
where l.kind = 'hold' and -l.amount_micro_credits <> g.hold_micro_credits
union all
select 'more messages counted than were asked', d.account_id::text, d.count || ' on ' || d.day from daily_messages d
where d.count > (select count(*) from generations g where g.account_id = d.account_id and g.counted_on = d.day)
