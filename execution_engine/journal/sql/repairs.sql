-- name: set_status
update durable_execution set status = %(status)s where id = %(id)s

-- name: read_pause
select pause from durable_execution where id = %(id)s

-- name: write_pause
-- Who paused and why, until the pause is over; a deadline that does not run meanwhile is kept in it.
update durable_execution set pause = %(pause)s, deadline_at = %(deadline_at)s where id = %(id)s

-- name: paused_due
-- Pauses that their invocation could not settle itself, and timers of paused executions. Index: execution_list_by_status.
select id from durable_execution
 where status in ('PAUSING', 'PAUSED') and claim_id is null and (status = 'PAUSING' or due_at <= coalesce(%(now)s::timestamptz, clock_timestamp()))
 limit 100

-- name: all_operations
-- Of an execution that the transaction has locked, in order of start.
select o.id, o.type, o.status, o.sub_type, o.name, o.parent_id, o.attempt, o.payload, o.error, o.replay_children, o.options,
       o.callback_id, o.started_at, o.ended_at, o.due_at, o.wake_seq, o.start_event
  from durable_operation o where o.execution_id = %(execution_id)s order by o.start_event

-- name: keep_in_history
-- Before operations are reopened or removed: their events take over what only the operation's row held, names and types too, and the
-- last end event the payload. `Kept` in the details says that an event no longer asks the row, which tells of a later run.
with ends as materialized (
  select x.operation_id, max(x.event_id) as event_id from durable_event x
   where x.execution_id = %(execution_id)s and x.operation_id = any(%(ids)s)
     and x.type ~ '(Succeeded|Failed|TimedOut|Stopped|Cancelled)$'
   group by x.operation_id
)
update durable_event e
   set details = (coalesce(e.details, '{}')::jsonb || jsonb_build_object('Kept', jsonb_strip_nulls(
         jsonb_build_object('Name', o.name, 'SubType', o.sub_type, 'ParentId', o.parent_id))))::text,
       payload = case when e.event_id = o.end_event and e.payload is null and e.error is null then o.payload else e.payload end,
       error = case when e.event_id = o.end_event and e.payload is null and e.error is null then o.error else e.error end
  from (select r.*, case when r.ended_at is not null then ends.event_id end as end_event
          from durable_operation r left join ends on ends.operation_id = r.id) o
 where o.execution_id = %(execution_id)s and o.id = any(%(ids)s) and e.execution_id = o.execution_id and e.operation_id = o.id
   and not coalesce(e.details, '{}')::jsonb ? 'Kept'

-- name: keep_end_in_history
-- The terminal event takes over result and error of an execution that goes on.
update durable_event e
   set payload = x.result, error = x.error, details = (coalesce(e.details, '{}')::jsonb || '{"Kept": {}}')::text
  from durable_execution x
 where x.id = %(execution_id)s and e.execution_id = x.id
   and e.event_id = (select max(t.event_id) from durable_event t
                      where t.execution_id = x.id and t.type ~ '^Execution(Failed|TimedOut|Stopped|Succeeded)$')

-- name: keep_input_in_history
-- The first event takes over an input that is replaced.
update durable_event e
   set payload = x.input, details = (coalesce(e.details, '{}')::jsonb || '{"Kept": {}}')::text
  from durable_execution x
 where x.id = %(execution_id)s and e.execution_id = x.id and e.event_id = 1 and not coalesce(e.details, '{}')::jsonb ? 'Kept'

-- name: move_to_version
-- What an execution that the transaction has locked is pinned to. Whatever it did to worker processes it did with other code.
update durable_execution
   set function_version_id = %(version_id)s, version = %(version)s, is_suspect = false, runs_alone = false where id = %(id)s

-- name: reopen_operation
update durable_operation
   set status = %(status)s, attempt = %(attempt)s, payload = %(payload)s, error = %(error)s, replay_children = %(replay_children)s,
       options = %(options)s, callback_id = %(callback_id)s, started_at = %(started_at)s, ended_at = %(ended_at)s, due_at = %(due_at)s,
       wake_seq = %(wake_seq)s
 where execution_id = %(execution_id)s and id = %(id)s

-- name: remove_operations
delete from durable_operation where execution_id = %(execution_id)s and id = any(%(ids)s)

-- name: reopen_execution
-- An ended execution goes on: due at once, with its whole timeout before it.
update durable_execution
   set status = 'RUNNING', ended_at = null, result = null, error = null, due_at = %(now)s, claim_id = null, invocation_started_at = null,
       failed_invocations = 0, is_suspect = false, runs_alone = false, wake_seq = %(wake_seq)s, event_seq = %(event_seq)s,
       last_event_at = %(now)s, redrive_count = redrive_count + 1, pause = null, owes_parent = false, owes_child = %(owes_child)s,
       deadline_at = %(now)s::timestamptz + make_interval(secs => execution_timeout), input = coalesce(%(input)s, input)
 where id = %(id)s
returning redrive_count

-- name: read_ended
select status, error, input, redrive_count from durable_execution where id = %(id)s

-- name: parents_owing
-- Redriven executions whose children are still to be redriven. Index: execution_owes_child.
select id, redrive_count from durable_execution where owes_child order by id limit %(limit)s

-- name: children_to_redrive
-- What a redriven parent waits for: the operation, its child if that still exists, and how often the child must have been redriven.
select o.id, c.id, coalesce((o.options::jsonb ->> 'redrives')::int, 0)
  from durable_operation o left join durable_execution c on c.id = (o.options::jsonb ->> 'child_id')::uuid and c.parent_id = o.execution_id
 where o.execution_id = %(id)s and o.type = 'CHAINED_INVOKE' and o.status = 'STARTED'
   and (c.id is null or c.status in ('SUCCEEDED', 'FAILED', 'TIMED_OUT', 'STOPPED'))

-- name: child_redrives
-- How often each of its own children must have been redriven to answer again: once more when it has ended.
select id, redrive_count + case when status in ('SUCCEEDED', 'FAILED', 'TIMED_OUT', 'STOPPED') then 1 else 0 end
  from durable_execution where id = any(%(ids)s::uuid[]) and parent_id = %(parent_id)s

-- name: tell_parent_again
-- An ended child whose answer is wanted once more as it is.
update durable_execution set redrive_count = greatest(redrive_count, %(redrives)s), owes_parent = true
 where id = %(id)s and ended_at is not null

-- name: clear_owes_child
-- Done, unless it was redriven once more meanwhile.
update durable_execution set owes_child = false where id = %(id)s and redrive_count = %(redrives)s

-- name: find_needed
-- Whether a parent still needs this execution: it has not been told of the end, or it is itself not over.
select e.owes_parent or exists (select 1 from durable_execution p where p.id = e.parent_id and p.ended_at is null)
  from durable_execution e where e.id = %(id)s

-- name: find_purgeable
-- Ended executions past their retention that no parent needs, locked, the oldest first. Index: execution_purge, once per day count.
select found.id, found.event_seq from generate_series(1, 90) as d(days) cross join lateral (
  select e.id, e.event_seq from durable_execution e
   where e.retention_days = d.days and e.ended_at < coalesce(%(now)s::timestamptz, clock_timestamp()) - make_interval(days => d.days)
     and not e.owes_parent and not exists (select 1 from durable_execution p where p.id = e.parent_id and p.ended_at is null)
   order by e.ended_at limit %(limit)s for update skip locked) found
 limit %(limit)s

-- name: delete_executions
-- Executions that the transaction has locked, with everything that belongs to them.
with ids as materialized (
  select unnest(%(ids)s::uuid[]) as id
), gone_events as (
  delete from durable_event using ids where execution_id = ids.id
), gone_operations as (
  delete from durable_operation using ids where execution_id = ids.id
), gone_signals as (
  delete from durable_signal using ids where execution_id = ids.id
), gone_replies as (
  delete from durable_stored_reply using ids where execution_id = ids.id
), gone_lines as (
  delete from durable_log_line using ids where execution_id = ids.id
)
delete from durable_execution e using ids where e.id = ids.id

-- name: fork_execution
-- A new execution beside the old one, due at once: same input, version and seed, its own name and timeout.
insert into durable_execution (
  id, function_version_id, function, version, name, status, started_at, deadline_at, execution_timeout, retention_days, due_at,
  invocations, failed_invocations, is_suspect, runs_alone, event_seq, checkpoint_seq, wake_seq, told_seq, last_event_at, status_text,
  attributes, tenant_id, started_by, traceparent, correlation_id, client_context, input, owes_parent, redrive_count, seed, forked_from,
  concurrency_key)
select %(new_id)s, coalesce(v.id, o.function_version_id), o.function, coalesce(v.version, o.version), %(name)s, 'RUNNING', %(now)s,
       %(now)s::timestamptz + make_interval(secs => o.execution_timeout), o.execution_timeout, o.retention_days, %(now)s,
       0, 0, false, false, 1, 0, 0, -1, %(now)s, o.status_text, o.attributes, o.tenant_id, %(started_by)s,
       o.traceparent, o.correlation_id, o.client_context, coalesce(%(input)s, o.input), false, 0, coalesce(o.seed, o.id), o.id, o.concurrency_key
  from durable_execution o
  left join durable_function_version v on v.function = o.function and v.version = %(version)s
 where o.id = %(id)s
on conflict (function, name) do nothing
returning version

-- name: fork_operations
-- What a fork keeps, as if it had been recorded at its start. `reopened` are contexts that go on.
insert into durable_operation (
  execution_id, id, type, sub_type, name, parent_id, status, attempt, payload, error, replay_children, options, callback_id,
  started_at, ended_at, due_at, wake_seq, start_event)
select %(new_id)s, o.id, o.type, o.sub_type, o.name, o.parent_id,
       case when r.is_open then 'STARTED' else o.status end, o.attempt, case when r.is_open then null else o.payload end,
       case when r.is_open then null else o.error end, o.replay_children and not r.is_open, o.options, o.callback_id,
       %(now)s, case when r.is_open then null else %(now)s::timestamptz end, null, null, 0
  from durable_operation o
  join (select id, false as is_open from unnest(%(kept)s::text[]) as k(id)
        union all select id, true from unnest(%(reopened)s::text[]) as k(id)) r using (id)
 where o.execution_id = %(id)s

-- name: fork_events
-- Their events since their start, numbered on from ExecutionStarted; of a context that goes on only the start.
insert into durable_event (execution_id, event_id, type, operation_id, at, details, payload, error)
select %(new_id)s, %(base)s + row_number() over (order by e.event_id), e.type, e.operation_id, %(now)s, e.details, e.payload, e.error
  from durable_event e join durable_operation o on o.execution_id = e.execution_id and o.id = e.operation_id
 where e.execution_id = %(id)s and e.event_id >= o.start_event
   and (o.id = any(%(kept)s) or o.id = any(%(reopened)s) and e.event_id = o.start_event)

-- name: fork_started
-- The new execution's first event, and the numbers that its operations and its row take from the copied ones.
insert into durable_event (execution_id, event_id, type, at, details) values (%(new_id)s, 1, 'ExecutionStarted', %(now)s, %(details)s)

-- name: fork_numbers
with starts as (
  select operation_id, min(event_id) as event_id from durable_event
   where execution_id = %(new_id)s and operation_id is not null group by operation_id
), numbered as (
  update durable_operation o set start_event = s.event_id from starts s where o.execution_id = %(new_id)s and o.id = s.operation_id
)
update durable_execution set event_seq = (select max(event_id) from durable_event where execution_id = %(new_id)s) where id = %(new_id)s
