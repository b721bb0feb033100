-- name: unserved_due
-- Open, unclaimed executions whose timer or deadline has passed while no worker seen lately serves their version; in the queue, or in
-- the line of a limit. What waits for versions that are served is not read, nor more than 100,000 of any other, which also keeps the plan
-- to the indexes: execution_claim_loop, execution_lines, operation_open.
with unserved as materialized (
  select v.id from durable_function_version v
   where not exists (
     select 1 from durable_worker w
      where w.seen_at > statement_timestamp() - interval '30 seconds' and w.version_ids @> to_jsonb(v.id))
)
select e.id from unserved v cross join lateral (
  (select id, claim_id, status, deadline_at from durable_execution
    where function_version_id = v.id and due_at <= statement_timestamp() and line is null order by due_at limit 100000)
  union all
  (select id, claim_id, status, deadline_at from durable_execution
    where function_version_id = v.id and due_at <= statement_timestamp() and line is not null order by line limit 100000)) e
 where e.claim_id is null and e.status in ('RUNNING', 'PAUSING', 'PAUSED')
   and (e.deadline_at <= statement_timestamp() or exists (
     select 1 from durable_operation o
      where o.execution_id = e.id and o.due_at <= statement_timestamp() and o.ended_at is null and o.status in ('STARTED', 'PENDING')))
 limit 100

-- name: due_operations
-- Of an execution that the transaction has locked, in the order in which they fell due. Index: operation_open.
select o.id, o.type, o.status, o.sub_type, o.name, o.parent_id, o.attempt, o.payload, o.error, o.replay_children, o.options,
       o.callback_id, o.started_at, o.ended_at, o.due_at, o.wake_seq, o.start_event
  from durable_operation o
 where o.execution_id = %(execution_id)s and o.due_at <= %(now)s and o.ended_at is null and o.status in ('STARTED', 'PENDING')
 order by o.due_at, o.start_event
