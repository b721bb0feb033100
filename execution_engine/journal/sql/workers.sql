-- name: see_worker
insert into durable_worker as w (
  boot_id, host, pid, parent_pid, process_started_at, started_at, seen_at, threads, in_flight, lost_threads, is_draining, version_ids)
values (
  %(boot_id)s, %(host)s, %(pid)s, %(parent_pid)s, %(process_started_at)s, clock_timestamp(), clock_timestamp(), %(threads)s,
  %(in_flight)s, %(lost_threads)s, %(is_draining)s, %(version_ids)s::jsonb)
on conflict (boot_id) do update
   set seen_at = clock_timestamp(), in_flight = excluded.in_flight, lost_threads = excluded.lost_threads,
       is_draining = excluded.is_draining, version_ids = excluded.version_ids

-- name: forget_worker
delete from durable_worker where boot_id = %(boot_id)s

-- name: siblings
-- Workers of the same host, to be compared with the processes that live there.
select boot_id, pid, process_started_at from durable_worker where host = %(host)s and boot_id <> %(boot_id)s

-- name: claim_duty
-- One recurring duty that is due, moved on by its interval; whoever gets the row does it.
with found as (
  select name from durable_duty where name = any(%(names)s) and due_at <= clock_timestamp()
   order by due_at limit 1 for no key update skip locked
)
update durable_duty d set due_at = clock_timestamp() + make_interval(secs => %(seconds)s), last_run_at = clock_timestamp()
  from found where d.name = found.name returning d.name

-- name: ensure_duty
insert into durable_duty (name, due_at, last_error) values (%(name)s, clock_timestamp(), '') on conflict (name) do nothing

-- name: forget_old_workers
delete from durable_worker where seen_at < clock_timestamp() - interval '1 day'
