-- name: insert_child
-- A chained invoke's execution, named after its id, with the trace that the invoke names or its parent's, in the transaction that
-- holds its parent's lock.
with clock as materialized (
  select coalesce(%(now)s::timestamptz, clock_timestamp()) as now
), started as (
  insert into durable_execution (
    id, function_version_id, function, version, name, status, started_at, deadline_at, execution_timeout, retention_days, due_at,
    invocations, failed_invocations, is_suspect, runs_alone, event_seq, checkpoint_seq, wake_seq, told_seq, last_event_at,
    status_text, attributes, tenant_id, started_by, traceparent, correlation_id, input, parent_id, parent_operation_id, owes_parent, redrive_count)
  select %(id)s, %(version_id)s, %(function)s, %(version)s, %(id)s::text, 'RUNNING', c.now,
         c.now + make_interval(secs => %(execution_timeout)s), %(execution_timeout)s, %(retention_days)s,
         c.now - make_interval(secs => coalesce((select priority from durable_limit where function = %(function)s), 0)),
         0, 0, false, false, 1, 0, 0, -1, c.now,
         '', '{}', %(tenant_id)s, %(started_by)s, coalesce(%(traceparent)s, p.traceparent), p.correlation_id, %(input)s, %(parent_id)s, %(parent_operation_id)s, false, 0
    from clock c left join durable_execution p on p.id = %(parent_id)s
  returning id, started_at, execution_timeout
)
insert into durable_event (execution_id, event_id, type, at, details)
select id, 1, 'ExecutionStarted', started_at,
       case when execution_timeout is not null then json_build_object('ExecutionTimeout', execution_timeout)::text end
  from started

-- name: children_owing
-- Children that ended and whose parents do not know it yet; xmin is the version of the row. Index: execution_owes_parent.
select id, parent_id, parent_operation_id, xmin::text from durable_execution
 where owes_parent and parent_id <> all(%(left)s::uuid[]) order by id limit %(limit)s

-- name: read_child
select status, result, error, redrive_count from durable_execution where id = %(id)s

-- name: clear_owing
-- Told, unless the row was written since it was read: redriven, or marked again for a parent that was redriven, it owes a second answer.
update durable_execution set owes_parent = false where id = %(id)s and xmin = %(version)s::xid and owes_parent
