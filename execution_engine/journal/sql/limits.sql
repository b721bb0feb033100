-- name: lock_limit
select concurrency, per_key, starts, seconds, burst, priority, revision, changed_at from durable_limit
 where function = %(function)s for no key update

-- name: write_limit
-- A changed rate begins with a full bucket; another change leaves what is in it.
insert into durable_limit as l (
  function, concurrency, per_key, starts, seconds, burst, priority, revision, changed_at, turn, tokens, tokens_at, last_line)
select %(function)s, %(concurrency)s, %(per_key)s, %(starts)s, %(seconds)s, %(burst)s, %(priority)s, 1, c.now, 0, %(burst)s, c.now, ''
  from (select coalesce(%(now)s::timestamptz, clock_timestamp()) as now) c
on conflict (function) do update
   set concurrency = excluded.concurrency, per_key = excluded.per_key, starts = excluded.starts, seconds = excluded.seconds,
       burst = excluded.burst, priority = excluded.priority, revision = l.revision + 1, changed_at = excluded.changed_at,
       turn = l.turn + 1,
       tokens = case when (l.starts, l.seconds, l.burst) is distinct from (excluded.starts, excluded.seconds, excluded.burst)
                     then excluded.burst else l.tokens end,
       tokens_at = case when (l.starts, l.seconds, l.burst) is distinct from (excluded.starts, excluded.seconds, excluded.burst)
                        then excluded.tokens_at else l.tokens_at end
 where l.revision = %(revision)s
returning l.revision
