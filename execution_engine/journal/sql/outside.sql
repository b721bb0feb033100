-- Checkpoints of callers outside the process, each under its execution's lock.

-- name: look_at_call
-- Everything a call is decided by, of an execution that the transaction has locked: the row as `read_execution` shows it, the stored
-- reply of the client token, and without one the operations: those that the call names with every context around them, and those that
-- changed from outside or by time since the caller was last sent such; one may come twice. Index: primary keys.
select e.id, e.function, e.version, e.name, e.status, e.started_at, e.due_at, e.deadline_at, e.ended_at, e.claim_id, e.invocation_id,
       e.invocation_started_at, e.failed_invocations, e.event_seq, e.checkpoint_seq, e.wake_seq, e.told_seq, e.last_event_at,
       coalesce(%(now)s::timestamptz, clock_timestamp()) as now, r.digest, r.answer, o.*
  from durable_execution e
  left join durable_stored_reply r on r.execution_id = e.id and r.client_token = %(client_token)s
       and r.stored_at > coalesce(%(now)s::timestamptz, clock_timestamp()) - make_interval(secs => %(seconds)s)
  left join lateral (
    with recursive around as (
      select n.id, n.parent_id from durable_operation n where n.execution_id = e.id and n.id = any(%(ids)s)
      union
      select p.id, p.parent_id from around a join durable_operation p on p.execution_id = e.id and p.id = a.parent_id
    )
    select n.id, n.type, n.status, n.sub_type, n.name, n.parent_id, n.attempt, n.payload, n.error, n.replay_children, n.options,
           n.callback_id, n.started_at, n.ended_at, n.due_at, n.wake_seq, n.start_event
      from durable_operation n where n.execution_id = e.id and n.id = any(array(select id from around))
    union all
    select n.id, n.type, n.status, n.sub_type, n.name, n.parent_id, n.attempt, n.payload, n.error, n.replay_children, n.options,
           n.callback_id, n.started_at, n.ended_at, n.due_at, n.wake_seq, n.start_event
      from durable_operation n where e.wake_seq > %(sent)s and n.execution_id = e.id and n.wake_seq > %(sent)s
  ) o on r.digest is null
 where e.id = %(execution_id)s

-- name: has_open_branches
-- Whether a map or parallel of the execution is under way. Index: operation_open.
select exists (
  select 1 from durable_operation
   where execution_id = %(execution_id)s and type = 'CONTEXT' and sub_type in ('Map', 'Parallel') and ended_at is null)

-- name: tell
update durable_execution set answered_seq = greatest(answered_seq, %(seq)s) where id = %(id)s

-- name: store_reply
-- A reply of the same token that is still there is older than replies are kept for.
insert into durable_stored_reply (execution_id, client_token, digest, answer, stored_at)
select id, %(client_token)s, %(digest)s, %(answer)s, %(now)s
  from durable_execution where id = %(execution_id)s and checkpoint_seq = %(checkpoint_seq)s
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
