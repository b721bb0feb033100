-- name: unserved_due
-- Open, unclaimed executions whose timer or deadline has passed while no worker seen lately serves their version; in the queue, or in
-- the line of a limit.
select e.id from (
  select id, claim_id, status, deadline_at, function_version_id from durable_execution where due_at <= clock_timestamp() and line is null
  union all
  select id, claim_id, status, deadline_at, function_version_id from durable_execution where due_at <= clock_timestamp() and line is not null) e
 where e.claim_id is null and e.status in ('RUNNING', 'PAUSING', 'PAUSED')
   and not exists (
     select 1 from durable_worker w
      where w.seen_at > clock_timestamp() - interval '30 seconds' and w.version_ids @> to_jsonb(e.function_version_id))
   and (e.deadline_at <= clock_timestamp() or exists (
     select 1 from durable_operation o
      where o.execution_id = e.id and o.due_at <= clock_timestamp() and o.status in ('STARTED', 'PENDING')))
 limit 100

-- name: due_operations
-- Of an execution that the transaction has locked, in the order in which they fell due.
select o.id, o.type, o.status, o.sub_type, o.name, o.parent_id, o.attempt, o.payload, o.error, o.replay_children, o.options,
       o.callback_id, o.started_at, o.ended_at, o.due_at, o.wake_seq, o.start_event
  from durable_operation o
 where o.execution_id = %(execution_id)s and o.due_at <= %(now)s and o.status in ('STARTED', 'PENDING')
 order by o.due_at, o.start_event
