-- The group commit: whatever the executions of one process recorded since the last flush, in one statement.

-- name: flush
-- Locks the executions, in order of id, `for no key update skip locked`; one that is locked elsewhere, whose claim, sequence,
-- status or deadline does not fit any more, or whose wake_seq moved where it must not have, returns no row and goes the slow path.
-- Never reads operations: under READ COMMITTED they would be older than the row just locked. Index: primary keys only.
with clock as materialized (
  select coalesce(%(now)s::timestamptz, clock_timestamp()) as now
), asked as materialized (
  select * from unnest(
    %(id)b, %(claim_id)b, %(checkpoint_seq)b, %(events)b, %(last_at)b,
    %(expect_wake)b, %(woken)b, %(settles)b, %(releases)b, %(told)b, %(due)b,
    %(status)b, %(failed)b, %(result)b, %(error)b, %(status_text)b, %(attributes)b
  ) with ordinality as t(
    id, claim_id, checkpoint_seq, events, last_at, expect_wake, woken, settles, releases, told, due,
    status, failed, result, error, status_text, attributes, lane)
), locked as materialized (
  select e.id, a.lane, e.event_seq, e.last_event_at
    from durable_execution e join asked a on a.id = e.id cross join clock c
   where e.claim_id = a.claim_id and e.checkpoint_seq = a.checkpoint_seq and (e.status = 'RUNNING' or e.status = 'PAUSING' and (a.status is not null or not a.releases))
     and (e.deadline_at is null or e.deadline_at > c.now)
     and (a.expect_wake is null or e.wake_seq = a.expect_wake)
   order by e.id for no key update of e skip locked
), lane as (
  update durable_execution e
     set event_seq = e.event_seq + a.events,
         checkpoint_seq = e.checkpoint_seq + 1,
         wake_seq = e.wake_seq + a.woken,
         last_event_at = greatest(e.last_event_at, to_timestamp(a.last_at)),
         status_text = coalesce(a.status_text, e.status_text),
         attributes = case when a.attributes is null then e.attributes else e.attributes || a.attributes::jsonb end,
         claim_id = case when a.releases then null else e.claim_id end,
         invocation_started_at = case when a.releases then null else e.invocation_started_at end,
         told_seq = coalesce(a.told, e.told_seq),
         failed_invocations = coalesce(a.failed, e.failed_invocations),
         runs_alone = e.runs_alone and not a.settles,
         status = coalesce(a.status, e.status),
         owes_parent = e.owes_parent or (a.status is not null and e.parent_id is not null),
         result = coalesce(a.result, e.result),
         error = coalesce(a.error, e.error),
         ended_at = case when a.status is null then e.ended_at else to_timestamp(a.last_at) end,
         due_at = case when not a.releases then e.due_at
                       when a.status is not null then null
                       when e.wake_seq + a.woken <> a.told then c.now
                       else least(to_timestamp(a.due), e.deadline_at) end
    from locked l join asked a using (lane) cross join clock c
   where e.id = l.id
  returning e.id, l.lane, l.event_seq as base, l.last_event_at as floor, e.wake_seq, e.status, e.due_at
), ops as (
  insert into durable_operation as t (
    execution_id, id, type, sub_type, name, parent_id, status, attempt, payload, error, replay_children, options,
    callback_id, started_at, ended_at, due_at, wake_seq, start_event)
  select l.id, o.id, o.type, o.sub_type, o.name, o.parent_id, o.status, o.attempt, o.payload, o.error, o.replay_children, o.options,
         o.callback_id, to_timestamp(o.started), to_timestamp(o.ended), to_timestamp(o.due),
         case when o.woken then l.wake_seq end, l.base + o.start_event
    from unnest(
      %(op_lane)b, %(op_id)b, %(op_type)b, %(op_sub_type)b, %(op_name)b,
      %(op_parent)b, %(op_status)b, %(op_attempt)b, %(op_payload)b, %(op_error)b,
      %(op_replay)b, %(op_options)b, %(op_callback)b, %(op_started)b,
      %(op_ended)b, %(op_due)b, %(op_woken)b, %(op_start_event)b
    ) as o(lane, id, type, sub_type, name, parent_id, status, attempt, payload, error, replay_children, options,
           callback_id, started, ended, due, woken, start_event)
    join lane l using (lane)
  on conflict (execution_id, id) do update
     set status = excluded.status, attempt = excluded.attempt, payload = excluded.payload, error = excluded.error,
         replay_children = excluded.replay_children, ended_at = excluded.ended_at, due_at = excluded.due_at,
         wake_seq = coalesce(excluded.wake_seq, t.wake_seq)
), history as (
  insert into durable_event (execution_id, event_id, type, operation_id, at, details, payload, error)
  select l.id, l.base + v.n, v.type, v.operation_id, greatest(l.floor, to_timestamp(v.at)), v.details, v.payload, v.error
    from unnest(
      %(ev_lane)b, %(ev_n)b, %(ev_type)b, %(ev_op)b, %(ev_at)b,
      %(ev_details)b, %(ev_payload)b, %(ev_error)b
    ) as v(lane, n, type, operation_id, at, details, payload, error)
    join lane l using (lane)
)
select l.lane, l.wake_seq, l.status, l.due_at, c.now from lane l cross join clock c
