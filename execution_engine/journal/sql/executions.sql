-- name: insert_executions
-- Starts many in one statement, each due at once, or claimed already when `claim_id` is given. A name that is taken returns no row.
-- Input is stored here only; ExecutionStarted reads it from the row.
with clock as materialized (
  select coalesce(%(now)s::timestamptz, clock_timestamp()) as now
), started as (
  insert into durable_execution (
    id, function_version_id, function, version, name, status, started_at, deadline_at, execution_timeout, retention_days, due_at,
    claim_id, claimed_by, invocation_id, invocation_started_at, invocations, failed_invocations, is_suspect, runs_alone,
    event_seq, checkpoint_seq, wake_seq, told_seq, last_event_at, status_text, attributes, tenant_id, started_by, input, owes_parent, redrive_count)
  select a.id, %(version_id)s, %(function)s, %(version)s, a.name, 'RUNNING', c.now,
         c.now + make_interval(secs => %(execution_timeout)s), %(execution_timeout)s, %(retention_days)s,
         c.now + make_interval(secs => %(claim_seconds)s),
         %(claim_id)s, %(claimed_by)s, %(claim_id)s, case when %(claim_id)s::uuid is null then null else c.now end,
         case when %(claim_id)s::uuid is null then 0 else 1 end, 0, false, false,
         1, 0, 0, -1, c.now, '', %(attributes)s::jsonb, %(tenant_id)s, %(started_by)s, a.input, false, 0
    from unnest(%(ids)s::uuid[], %(names)s::text[], %(inputs)s::text[]) as a(id, name, input) cross join clock c
  on conflict (function, name) do nothing
  returning id, started_at
), history as (
  insert into durable_event (execution_id, event_id, type, at, details)
  select id, 1, 'ExecutionStarted', started_at, %(details)s from started
)
select id, started_at from started

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

-- name: write_execution
-- The state of an execution that the transaction has locked.
update durable_execution
   set status = %(status)s, due_at = %(due_at)s, ended_at = %(ended_at)s, claim_id = %(claim_id)s,
       invocation_started_at = %(invocation_started_at)s, failed_invocations = %(failed_invocations)s,
       event_seq = %(event_seq)s, wake_seq = %(wake_seq)s, told_seq = %(told_seq)s, last_event_at = %(last_event_at)s,
       owes_parent = owes_parent or (parent_id is not null and %(status)s in ('SUCCEEDED', 'FAILED', 'TIMED_OUT', 'STOPPED')),
       result = coalesce(%(result)s, result), error = coalesce(%(error)s, error)
 where id = %(id)s

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
