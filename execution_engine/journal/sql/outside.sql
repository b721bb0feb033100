-- Checkpoints of callers outside the process, each under its execution's lock.

-- name: call_operations
-- Of an execution that the transaction has locked: the operations that a call names with every context around them, and those that
-- changed from outside or by time since the caller was last sent such; a row may come twice. Index: primary key.
with recursive around as (
  select o.id, o.parent_id from durable_operation o where o.execution_id = %(execution_id)s and o.id = any(%(ids)s)
  union
  select p.id, p.parent_id from around a join durable_operation p on p.execution_id = %(execution_id)s and p.id = a.parent_id
)
select o.id, o.type, o.status, o.sub_type, o.name, o.parent_id, o.attempt, o.payload, o.error, o.replay_children, o.options,
       o.callback_id, o.started_at, o.ended_at, o.due_at, o.wake_seq, o.start_event
  from durable_operation o where o.execution_id = %(execution_id)s and o.id = any(array(select id from around))
union all
select o.id, o.type, o.status, o.sub_type, o.name, o.parent_id, o.attempt, o.payload, o.error, o.replay_children, o.options,
       o.callback_id, o.started_at, o.ended_at, o.due_at, o.wake_seq, o.start_event
  from durable_operation o
 where (select e.wake_seq from durable_execution e where e.id = %(execution_id)s) > %(sent)s
   and o.execution_id = %(execution_id)s and o.wake_seq > %(sent)s

-- name: has_open_branches
-- Whether a map or parallel of the execution is under way. Index: operation_open.
select exists (
  select 1 from durable_operation
   where execution_id = %(execution_id)s and type = 'CONTEXT' and sub_type in ('Map', 'Parallel') and ended_at is null)

-- name: tell
update durable_execution set answered_seq = greatest(answered_seq, %(seq)s) where id = %(id)s

-- name: read_reply
select digest, answer from durable_stored_reply
 where execution_id = %(execution_id)s and client_token = %(client_token)s
   and stored_at > coalesce(%(now)s::timestamptz, clock_timestamp()) - make_interval(secs => %(seconds)s)

-- name: store_reply
-- A reply of the same token that is still there is older than replies are kept for.
insert into durable_stored_reply (execution_id, client_token, digest, answer, stored_at)
values (%(execution_id)s, %(client_token)s, %(digest)s, %(answer)s, %(now)s)
on conflict (execution_id, client_token) do update
   set digest = excluded.digest, answer = excluded.answer, stored_at = excluded.stored_at

-- name: forget_replies
-- Index: stored_reply_age.
delete from durable_stored_reply r
 using (select execution_id, client_token from durable_stored_reply
         where stored_at < clock_timestamp() - make_interval(secs => %(seconds)s)
         order by stored_at limit %(limit)s for update skip locked) old
 where r.execution_id = old.execution_id and r.client_token = old.client_token

-- name: read_input
select input from durable_execution where id = %(id)s

-- name: state_page
-- A page of operations in order of start, as many as fit into `bytes` and at least one, and how many there are from here on.
select p.id, p.type, p.status, p.sub_type, p.name, p.parent_id, p.attempt, p.payload, p.error, p.replay_children, p.options,
       p.callback_id, p.started_at, p.ended_at, p.due_at, p.wake_seq, p.start_event, p.remaining
  from (
    select o.*, count(*) over () as remaining, row_number() over (order by o.start_event) as n,
           coalesce(sum(coalesce(octet_length(o.payload), 0) + coalesce(octet_length(o.error), 0)) over (
             order by o.start_event rows between unbounded preceding and 1 preceding), 0) as before
      from durable_operation o where o.execution_id = %(execution_id)s and o.start_event > %(after)s) p
 where p.n <= %(limit)s and (p.n = 1 or p.before < %(bytes)s)
 order by p.n
