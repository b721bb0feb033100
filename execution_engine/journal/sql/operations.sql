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

-- name: find_callback
-- Which operation a callback id stands for; nothing is locked or decided by it. Index: operation_callback.
select execution_id, id from durable_operation where callback_id = %(callback_id)s

-- name: nearest_timer
select min(due_at) from durable_operation
 where execution_id = %(execution_id)s and due_at is not null and status in ('STARTED', 'PENDING')

-- name: waiting_signal
-- The oldest open waiter for a signal of this name in an execution that the transaction has locked.
select o.id, o.type, o.status, o.sub_type, o.name, o.parent_id, o.attempt, o.payload, o.error, o.replay_children, o.options,
       o.callback_id, o.started_at, o.ended_at, o.due_at, o.wake_seq, o.start_event
  from durable_operation o
 where o.execution_id = %(execution_id)s and o.type = 'CALLBACK' and o.sub_type = 'Signal' and o.status = 'STARTED'
   and o.options::jsonb ->> 'signal' = %(name)s and (o.due_at is null or o.due_at > coalesce(%(now)s::timestamptz, clock_timestamp()))
 order by o.start_event limit 1

-- name: write_operations
-- The latest state of operations whose execution the transaction has locked.
insert into durable_operation as t (
  execution_id, id, type, sub_type, name, parent_id, status, attempt, payload, error, replay_children, options,
  callback_id, started_at, ended_at, due_at, wake_seq, start_event)
values (
  %(execution_id)s, %(id)s, %(type)s, %(sub_type)s, %(name)s, %(parent_id)s, %(status)s, %(attempt)s, %(payload)s, %(error)s,
  %(replay_children)s, %(options)s, %(callback_id)s, %(started_at)s, %(ended_at)s, %(due_at)s, %(wake_seq)s, %(start_event)s)
on conflict (execution_id, id) do update
   set status = excluded.status, attempt = excluded.attempt, payload = excluded.payload, error = excluded.error,
       replay_children = excluded.replay_children, ended_at = excluded.ended_at, due_at = excluded.due_at,
       wake_seq = coalesce(excluded.wake_seq, t.wake_seq)
