-- name: insert_executions
-- Starts many in one statement, of the version asked for or of the newest one of the function, each due at once, or claimed already
-- when `claim_id` is given and the function has no limits, for a claim outside the queue would not be counted. The priority, the
-- start's own or its function's, is a head start in the queue. A name that is taken returns no row, nor does a version that is not
-- registered. In order of the names, so that two who start the same ones wait for each other and do not deadlock.
-- Input is stored here only; ExecutionStarted reads it from the row.
with clock as materialized (
  select coalesce(%(now)s::timestamptz, clock_timestamp()) as now
), v as materialized (
  select f.id, f.version, f.execution_timeout, coalesce(f.retention_days, %(retention_days)s) as retention_days,
         coalesce(%(priority)s, l.priority, 0) as priority,
         case when coalesce(l.concurrency, l.per_key, l.starts) is null then %(claim_id)s::uuid end as claim_id
    from durable_function_version f left join durable_limit l using (function)
   where f.function = %(function)s and (%(version)s::text is null or f.version = %(version)s)
   order by f.created_at desc, f.id desc limit 1
), started as (
  insert into durable_execution (
    id, function_version_id, function, version, name, status, started_at, deadline_at, execution_timeout, retention_days, due_at,
    claim_id, claimed_by, invocation_id, invocation_started_at, invocations, failed_invocations, is_suspect, runs_alone,
    event_seq, checkpoint_seq, wake_seq, told_seq, last_event_at, status_text, attributes, tenant_id, started_by,
    traceparent, correlation_id, client_context, input, owes_parent, redrive_count, concurrency_key)
  select a.id, v.id, %(function)s, v.version, a.name, 'RUNNING', c.now,
         c.now + make_interval(secs => v.execution_timeout), v.execution_timeout, v.retention_days,
         c.now + make_interval(secs => case when v.claim_id is null then -v.priority else %(claim_seconds)s end),
         v.claim_id, %(claimed_by)s, v.claim_id, case when v.claim_id is not null then c.now end,
         case when v.claim_id is null then 0 else 1 end, 0, false, false,
         1, 0, 0, -1, c.now, '', %(attributes)s::jsonb, %(tenant_id)s, %(started_by)s, %(traceparent)s, %(correlation_id)s,
         %(client_context)s, a.input, false, 0, %(concurrency_key)s
    from unnest(%(ids)s::uuid[], %(names)s::text[], %(inputs)s::text[]) as a(id, name, input) cross join clock c cross join v
   order by a.name
  on conflict (function, name) do nothing
  returning id, started_at, version, execution_timeout, claim_id
), history as (
  insert into durable_event (execution_id, event_id, type, at, details)
  select id, 1, 'ExecutionStarted', started_at,
         case when execution_timeout is not null then json_build_object('ExecutionTimeout', execution_timeout)::text end from started
)
select id, started_at, version, claim_id is not null from started

-- name: execution_by_name
-- Who holds a name, after an insert met it. Index: execution_name_of_function.
select id, name, version, input, status from durable_execution where function = %(function)s and name = %(name)s

-- name: read_outcome
-- What somebody who waits for the end wants to know. Index: primary key.
select status, result, error from durable_execution where id = %(id)s

-- name: lock_execution
-- Locks one execution, waiting up to lock_timeout. What is decided by it is read afterwards, in the next statement.
select id from durable_execution where id = %(id)s for no key update

-- name: read_execution
-- The locked row and the time after the lock.
select id, function, version, name, status, started_at, due_at, deadline_at, ended_at, claim_id, invocation_id,
       invocation_started_at, failed_invocations, event_seq, checkpoint_seq, wake_seq, told_seq, last_event_at,
       coalesce(%(now)s::timestamptz, clock_timestamp()) as now
  from durable_execution where id = %(id)s

-- name: write_change
-- The state of an execution that the transaction has locked, the latest state of its operations that changed, and what happened.
with execution as (
  update durable_execution
     set status = %(status)s, due_at = %(due_at)s, ended_at = %(ended_at)s, claim_id = %(claim_id)s,
         invocation_started_at = %(invocation_started_at)s, failed_invocations = %(failed_invocations)s,
         event_seq = %(event_seq)s, wake_seq = %(wake_seq)s, told_seq = %(told_seq)s, last_event_at = %(last_event_at)s,
         owes_parent = owes_parent or (parent_id is not null and %(status)s in ('SUCCEEDED', 'FAILED', 'TIMED_OUT', 'STOPPED')),
         result = coalesce(%(result)s, result), error = coalesce(%(error)s, error)
   where id = %(id)s
), operations as (
  insert into durable_operation as t (
    execution_id, id, type, sub_type, name, parent_id, status, attempt, payload, error, replay_children, options,
    callback_id, started_at, ended_at, due_at, wake_seq, start_event)
  select %(id)s, o.* from unnest(
    %(op_id)s::text[], %(op_type)s::text[], %(op_sub_type)s::text[], %(op_name)s::text[], %(op_parent_id)s::text[],
    %(op_status)s::text[], %(op_attempt)s::int[], %(op_payload)s::text[], %(op_error)s::text[], %(op_replay_children)s::bool[],
    %(op_options)s::text[], %(op_callback_id)s::text[], %(op_started_at)s::timestamptz[], %(op_ended_at)s::timestamptz[],
    %(op_due_at)s::timestamptz[], %(op_wake_seq)s::int8[], %(op_start_event)s::int[]) as o
  on conflict (execution_id, id) do update
     set status = excluded.status, attempt = excluded.attempt, payload = excluded.payload, error = excluded.error,
         replay_children = excluded.replay_children, ended_at = excluded.ended_at, due_at = excluded.due_at,
         wake_seq = coalesce(excluded.wake_seq, t.wake_seq)
)
insert into durable_event (execution_id, event_id, type, operation_id, at, details, payload, error)
select %(id)s, v.* from unnest(
  %(ev_event_id)s::int8[], %(ev_type)s::text[], %(ev_operation_id)s::text[], %(ev_at)s::timestamptz[], %(ev_details)s::text[],
  %(ev_payload)s::text[], %(ev_error)s::text[]) as v

-- name: write_events
insert into durable_event (execution_id, event_id, type, operation_id, at, details, payload, error)
values (%(execution_id)s, %(event_id)s, %(type)s, %(operation_id)s, %(at)s, %(details)s, %(payload)s, %(error)s)

-- name: buffer_signal
insert into durable_signal (execution_id, name, payload, sent_at, sent_by)
values (%(execution_id)s, %(name)s, %(payload)s, %(now)s, %(sent_by)s)

-- name: next_signal
-- The oldest signal that nobody took, of an execution that the transaction has locked. Index: signal_buffer.
select id, payload from durable_signal
 where execution_id = %(execution_id)s and name = %(name)s and consumed_by is null order by id limit 1

-- name: consume_signal
update durable_signal set consumed_by = %(operation_id)s where id = %(id)s
