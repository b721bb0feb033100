-- name: claim_executions
-- The queue: whatever is due and unclaimed for the versions that this worker serves, but for functions with limits.
-- One look per version, in order of due_at; rows locked elsewhere are somebody else's. Index: execution_claim_loop.
with clock as materialized (
  select coalesce(%(now)s::timestamptz, clock_timestamp()) as now
), found as materialized (
  select due.id, null as function
    from unnest(%(versions)b::int8[]) as v(id) cross join lateral (
      select e.id from durable_execution e
       where e.function_version_id = v.id and e.due_at <= (select now from clock)
         and e.claim_id is null and e.status = 'RUNNING' and not e.is_suspect and e.line is null
       order by e.due_at limit %(limit)s for no key update skip locked) due
   where v.id not in (select f.id from durable_limit join durable_function_version f using (function))
   limit %(limit)s
)

-- name: claim_suspects
-- As `claim_executions`, of those that were in flight when a child died: few, and behind everything else that is due. Index:
-- execution_suspects.
with clock as materialized (
  select coalesce(%(now)s::timestamptz, clock_timestamp()) as now
), found as materialized (
  select e.id, null as function from durable_execution e
   where e.is_suspect and e.function_version_id = any(%(versions)b::int8[]) and e.due_at <= (select now from clock)
     and e.claim_id is null and e.status = 'RUNNING' and e.line is null
     and e.function_version_id not in (select f.id from durable_limit join durable_function_version f using (function))
   order by e.due_at limit %(limit)s for no key update skip locked
)

-- name: claim_found
-- How these two and `claim_limited` end: `found` is what was chosen and locked.
update durable_execution e
   set claim_id = gen_random_uuid(), claimed_by = %(worker)s, invocation_id = gen_random_uuid(), invocation_started_at = c.now,
       invocations = e.invocations + 1, is_suspect = false, line = null, runs_alone = %(alone)s, due_at = c.now + make_interval(secs => %(claim_seconds)s)
  from found f cross join clock c
 where e.id = f.id
returning e.id, e.function_version_id, e.name, e.started_at, e.deadline_at, e.claim_id, e.invocation_id, e.invocation_started_at,
          e.invocations, e.failed_invocations, e.event_seq, e.checkpoint_seq, e.wake_seq, e.told_seq, e.tenant_id, e.runs_alone, e.parent_id is not null, e.input, c.now, e.seed,
          e.redrive_count, e.traceparent, e.correlation_id, e.client_context, f.function is not null

-- name: has_suspects
-- Executions that were in flight when a child died wait for a child that has nothing else in flight. Index: execution_suspects.
select exists (
  select 1 from durable_execution
   where is_suspect and function_version_id = any(%(versions)b::int8[]) and due_at <= clock_timestamp() and claim_id is null
     and status = 'RUNNING' and line is null)

-- name: take_over
-- Claims that ended, or whose worker is known to be dead (`dead`): the dead invocation's end is written, and the execution is
-- due again. A worker's own claims are spared only while they are in flight (`mine`): one whose answer was lost is nobody's.
-- A death counts only when the invocation had its child for itself. Rows locked elsewhere wait for the next look.
with clock as materialized (
  select coalesce(%(now)s::timestamptz, clock_timestamp()) as now
), found as materialized (
  select e.id, e.event_seq, e.invocation_started_at, e.invocation_id
    from durable_execution e
   where e.claim_id is not null
     and case when %(dead)s::uuid is not null then e.claimed_by = %(dead)s::uuid
              else e.function_version_id = any(%(versions)b::int8[]) and e.due_at <= (select now from clock)
                   and e.claim_id <> all(%(mine)b::uuid[])
                   and (e.claimed_by = %(worker)s::uuid
                     or e.due_at <= (select now from clock) - make_interval(secs => %(grace_seconds)s)
                     or not exists (
                       select 1 from durable_worker w
                        where w.boot_id = e.claimed_by and w.seen_at > (select now from clock) - make_interval(secs => %(seen_seconds)s)))
         end
   order by e.id limit 1000 for no key update skip locked
), lane as (
  update durable_execution e
     set claim_id = null, invocation_started_at = null, due_at = c.now, runs_alone = false,
         is_suspect = %(are_suspects)s and e.claimed_by is distinct from %(worker)s::uuid,
         failed_invocations = e.failed_invocations
           + case when e.runs_alone and %(are_suspects)s and e.claimed_by is distinct from %(worker)s::uuid then 1 else 0 end,
         event_seq = e.event_seq + case when f.invocation_started_at is null then 0 else 1 end,
         last_event_at = greatest(e.last_event_at, c.now)
    from found f cross join clock c
   where e.id = f.id
  returning e.id, f.event_seq, f.invocation_started_at, f.invocation_id, e.last_event_at
), history as (
  insert into durable_event (execution_id, event_id, type, at, details, error)
  select id, event_seq + 1, 'InvocationCompleted', last_event_at,
         json_build_object('StartTimestamp', to_char(invocation_started_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"+00:00"'),
                           'RequestId', invocation_id)::text,
         %(error)s
    from lane where invocation_started_at is not null
)
select id from lane

-- name: renew_claims
-- All claims of a worker in one statement; an ended claim that nobody took may still be renewed. Rows locked by a checkpoint or a
-- caller are skipped and tried again in a second.
with mine as materialized (
  select e.id from durable_execution e
    join unnest(%(ids)b::uuid[], %(claims)b::uuid[]) as m(id, claim_id) on m.id = e.id and m.claim_id = e.claim_id
   order by e.id for no key update of e skip locked
)
update durable_execution e
   set due_at = coalesce(%(now)s::timestamptz, clock_timestamp()) + make_interval(secs => %(claim_seconds)s)
  from mine where e.id = mine.id
returning e.id

-- name: held_claims
-- Which of these claims still stand. Index: primary key.
select e.id from durable_execution e
  join unnest(%(ids)b::uuid[], %(claims)b::uuid[]) as m(id, claim_id) on m.id = e.id and m.claim_id = e.claim_id

-- name: outlook
-- What a look that claimed everything due still wants to know: in how many seconds the next one is due, null when nothing is, whether
-- suspects wait for a quiet child, and whether any of these functions has limits. What a limit holds back is due, and yet nobody may
-- have it: it is looked at again after `held_seconds`. Indexes: execution_claim_loop, execution_lines, execution_suspects.
with clock as materialized (
  select coalesce(%(now)s::timestamptz, clock_timestamp()) as now
), rule as materialized (
  select v.id, c.now + make_interval(secs => %(held_seconds)s) as again
    from durable_limit l join durable_function_version v using (function) cross join clock c where v.id = any(%(versions)b::int8[])
)
select extract(epoch from min(due.due_at) - (select now from clock))::float8, exists (
    select 1 from durable_execution
     where is_suspect and function_version_id = any(%(versions)b::int8[]) and due_at <= (select now from clock)
       and claim_id is null and status = 'RUNNING' and line is null), exists (select 1 from rule)
  from (
    select greatest(e.due_at, r.again) as due_at
      from unnest(%(versions)b::int8[]) as v(id) left join rule r using (id) cross join lateral (
        select e.due_at from durable_execution e
         where e.function_version_id = v.id and e.due_at is not null and e.claim_id is null and not e.is_suspect and e.status = 'RUNNING'
           and e.line is null
         order by e.due_at limit 1) e
    union all
    select r.again from rule r where exists (
      select 1 from durable_execution e where e.function_version_id = r.id and e.line is not null and e.due_at is not null)) due
