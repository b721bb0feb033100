-- name: insert_schedule
-- A name that is taken returns no row.
insert into durable_schedule (
  name, function, version, rule, timezone, input, attributes, concurrency_key, priority, overlap, catch_up, is_paused, anchor_at, due_at,
  last_error, skipped, created_at, created_by, revision)
values (
  %(name)s, %(function)s, %(version)s, %(rule)s, %(timezone)s, %(input)s, %(attributes)s::jsonb, %(concurrency_key)s, %(priority)s,
  %(overlap)s, %(catch_up)s, %(is_paused)s, %(anchor_at)s, %(due_at)s, '', 0, clock_timestamp(), %(created_by)s, 1)
on conflict (name) do nothing returning id

-- name: write_schedule
-- What people set, of a schedule that the transaction has locked.
update durable_schedule
   set name = %(name)s, function = %(function)s, version = %(version)s, rule = %(rule)s, timezone = %(timezone)s, input = %(input)s,
       attributes = %(attributes)s::jsonb, concurrency_key = %(concurrency_key)s, priority = %(priority)s, overlap = %(overlap)s,
       catch_up = %(catch_up)s, is_paused = %(is_paused)s, anchor_at = %(anchor_at)s, due_at = %(due_at)s, last_error = '',
       revision = revision + 1
 where id = %(id)s returning revision

-- name: lock_schedule
select id, name, function, version, rule, timezone, input, attributes, concurrency_key, priority, overlap, catch_up, is_paused, anchor_at,
       due_at, last_fired_at, last_execution_id, revision, clock_timestamp() as now
  from durable_schedule where id = %(id)s for no key update

-- name: claim_schedule
-- The schedule that is due longest, for the transaction that fires it; one that another worker fires, or a person changes, is skipped.
-- Index: schedule_due.
select id, name, function, version, rule, timezone, input, attributes, concurrency_key, priority, overlap, catch_up, is_paused, anchor_at,
       due_at, last_fired_at, last_execution_id, revision, clock_timestamp() as now
  from durable_schedule where due_at <= coalesce(%(now)s::timestamptz, clock_timestamp())
 order by due_at limit 1 for no key update skip locked

-- name: write_firing
update durable_schedule
   set due_at = %(due_at)s, last_fired_at = coalesce(%(last_fired_at)s, last_fired_at),
       last_execution_id = coalesce(%(last_execution_id)s, last_execution_id), last_error = %(last_error)s, skipped = skipped + %(skipped)s
 where id = %(id)s

-- name: delete_schedule
delete from durable_schedule where id = %(id)s

-- name: is_open
select ended_at is null from durable_execution where id = %(id)s
