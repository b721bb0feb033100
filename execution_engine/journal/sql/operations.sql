-- name: load_operations
-- Everything a new invocation needs to know of its operations, and the sequence it then knows, from one snapshot.
select e.id, e.wake_seq, coalesce(%(now)s::timestamptz, clock_timestamp()) as now,
       o.id, o.type, o.status, o.sub_type, o.name, o.parent_id, o.attempt, o.payload, o.error, o.replay_children, o.options,
       o.callback_id, o.started_at, o.ended_at, o.due_at, o.wake_seq, o.start_event
  from durable_execution e left join durable_operation o on o.execution_id = e.id
 where e.id = any(%(ids)b::uuid[])
 order by e.id, o.start_event

-- name: changed_operations
-- What changed from outside or by time since an invocation was last told; one snapshot with the sequence itself.
select e.id, e.wake_seq, coalesce(%(now)s::timestamptz, clock_timestamp()) as now,
       o.id, o.type, o.status, o.sub_type, o.name, o.parent_id, o.attempt, o.payload, o.error, o.replay_children, o.options,
       o.callback_id, o.started_at, o.ended_at, o.due_at, o.wake_seq, o.start_event
  from unnest(%(ids)b::uuid[], %(known)b::int8[]) as k(id, known)
  join durable_execution e on e.id = k.id
  left join durable_operation o on o.execution_id = e.id and o.wake_seq > k.known

-- name: read_operations
-- Some operations of an execution that the transaction has locked. Index: primary key.
select o.id, o.type, o.status, o.sub_type, o.name, o.parent_id, o.attempt, o.payload, o.error, o.replay_children, o.options,
       o.callback_id, o.started_at, o.ended_at, o.due_at, o.wake_seq, o.start_event
  from durable_operation o where o.execution_id = %(execution_id)s and o.id = any(%(ids)s)

-- name: lock_callback
-- Locks the execution of a callback id, waiting up to lock_timeout. Of the operation only that is used, which never changes; what is
-- decided by it is read afterwards, in the next statement. Index: operation_callback.
select e.id from durable_operation o join durable_execution e on e.id = o.execution_id
 where o.callback_id = %(callback_id)s for no key update of e

-- name: read_callback
-- The locked execution as `read_execution` shows it, and the operation that still has the callback id: a redrive may have given it another.
select e.id, e.function, e.version, e.name, e.status, e.started_at, e.due_at, e.deadline_at, e.ended_at, e.claim_id, e.invocation_id,
       e.invocation_started_at, e.failed_invocations, e.event_seq, e.checkpoint_seq, e.wake_seq, e.told_seq, e.last_event_at,
       coalesce(%(now)s::timestamptz, clock_timestamp()) as now,
       o.id, o.type, o.status, o.sub_type, o.name, o.parent_id, o.attempt, o.payload, o.error, o.replay_children, o.options,
       o.callback_id, o.started_at, o.ended_at, o.due_at, o.wake_seq, o.start_event
  from durable_execution e join durable_operation o on o.execution_id = e.id
 where o.callback_id = %(callback_id)s

-- name: nearest_timer
-- Index: operation_open.
select min(due_at) from durable_operation
 where execution_id = %(execution_id)s and due_at is not null and ended_at is null and status in ('STARTED', 'PENDING')

-- name: waiting_signal
-- The oldest open waiter for a signal of this name in an execution that the transaction has locked. Index: operation_open.
select o.id, o.type, o.status, o.sub_type, o.name, o.parent_id, o.attempt, o.payload, o.error, o.replay_children, o.options,
       o.callback_id, o.started_at, o.ended_at, o.due_at, o.wake_seq, o.start_event
  from durable_operation o
 where o.execution_id = %(execution_id)s and o.type = 'CALLBACK' and o.sub_type = 'Signal' and o.status = 'STARTED' and o.ended_at is null
   and o.options::jsonb ->> 'signal' = %(name)s and (o.due_at is null or o.due_at > coalesce(%(now)s::timestamptz, clock_timestamp()))
 order by o.start_event limit 1
