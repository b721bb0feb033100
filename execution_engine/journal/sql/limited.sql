-- A look at functions with limits, in the order of these statements (`journal/limited.py`). Nothing is locked while it decides: `turn`,
-- read before everything else and compared when it claims, says that nobody claimed meanwhile.

-- name: read_turns
-- The limits of those of these versions for which somebody waits, and the claims of their functions by concurrency key, over all versions:
-- from one snapshot with the turn. A claim that ended counts until anybody could have taken it over.
-- Indexes: execution_claim_loop, execution_lines, execution_suspects, execution_claims.
with clock as materialized (
  select coalesce(%(now)s::timestamptz, clock_timestamp()) as now
), rule as materialized (
  select l.function, array_agg(v.id) as versions
    from durable_limit l join durable_function_version v using (function) where v.id = any(%(versions)b::int8[]) group by 1
), stands as materialized (
  select r.*, case when %(suspects)s then exists (
      select 1 from durable_execution e
       where e.is_suspect and e.function_version_id = any(r.versions) and e.due_at <= (select now from clock) and e.claim_id is null
         and e.status = 'RUNNING' and e.line is null)
    else exists (
      select 1 from unnest(r.versions) as v(id) cross join lateral (
        select 1 from durable_execution e
         where e.function_version_id = v.id and e.due_at <= (select now from clock) and e.claim_id is null and e.status = 'RUNNING'
           and not e.is_suspect and e.line is null
         order by e.due_at limit 1) e) end as has_queue,
    not %(suspects)s and exists (
      select 1 from unnest(r.versions) as v(id) cross join lateral (
        select 1 from durable_execution e
         where e.function_version_id = v.id and e.line is not null and e.due_at is not null order by e.line limit 1) e) as has_lines
    from rule r
)
select l.function, s.versions, l.turn, l.concurrency, l.per_key, l.starts, l.seconds, l.burst, l.tokens, l.tokens_at, l.last_line,
       s.has_lines, c.now, held.keys, held.numbers
  from stands s join durable_limit l using (function) cross join clock c cross join lateral (
    select array_agg(k.concurrency_key) as keys, array_agg(k.number) as numbers from (
      select e.concurrency_key, count(*) as number
        from durable_function_version v join durable_execution e on e.function_version_id = v.id
       where v.function = s.function and e.claim_id is not null and e.due_at > c.now - make_interval(secs => %(grace_seconds)s)
       group by 1) k) held
 where s.has_queue or s.has_lines

-- name: next_lines
-- The lines of keys behind `last_line`, by version, until `enough` of them have room. Each is found in one step, however many stand
-- in it. Index: execution_lines.
with recursive lines as (
  select v.id as version_id, %(last_line)s::text as line, 0 as met from unnest(%(versions)b::int8[]) as v(id)
  union all
  select k.version_id, a.line, k.met + (a.line <> all(%(full)b::text[]))::int
    from lines k cross join lateral (
      select e.line from durable_execution e
       where e.function_version_id = k.version_id and e.line > k.line and e.due_at is not null order by e.line limit 1) a
   where k.met < %(enough)s
)
select version_id, line, met from lines where line > %(last_line)s and line <> all(%(full)b::text[])
 order by version_id, line

-- name: read_waiting
-- The oldest of each place, at most as many as it says: the queue of a version (null), or one of its lines. And of the line of each key
-- that is met in the queue, whether or not it is that line's turn: who comes back from a wait must not pass those who stand there.
-- Indexes: execution_claim_loop, execution_lines, execution_suspects.
with clock as materialized (
  select coalesce(%(now)s::timestamptz, clock_timestamp()) as now
), place as materialized (
  select * from unnest(%(versions)b::int8[], %(lines)b::text[], %(most)b::int8[]) as p(version_id, line, most)
), found as materialized (
  select s.* from place p cross join lateral (
  (select e.id, e.due_at, e.concurrency_key, e.invocations = 0, e.line from durable_execution e
    where not %(suspects)s and p.line is null and e.line is null and e.function_version_id = p.version_id
      and e.due_at <= (select now from clock) and e.claim_id is null and e.status = 'RUNNING' and not e.is_suspect
    order by e.due_at limit p.most)
  union all
  (select e.id, e.due_at, e.concurrency_key, e.invocations = 0, e.line from durable_execution e
    where %(suspects)s and p.line is null and e.line is null and e.function_version_id = p.version_id
      and e.due_at <= (select now from clock) and e.claim_id is null and e.status = 'RUNNING' and e.is_suspect
    order by e.due_at limit p.most)
  union all
  (select e.id, e.due_at, e.concurrency_key, e.invocations = 0, e.line from durable_execution e
    where e.line = p.line and e.function_version_id = p.version_id and e.due_at <= (select now from clock)
      and e.claim_id is null and e.status = 'RUNNING'
    order by e.due_at limit p.most)) s
)
select * from found
union all
select e.* from (select distinct concurrency_key from found where line is null and concurrency_key is not null) k
  cross join (select distinct version_id from place) v cross join lateral (
    select e.id, e.due_at, e.concurrency_key, e.invocations = 0, e.line from durable_execution e
     where e.line = k.concurrency_key and e.function_version_id = v.version_id and e.due_at <= (select now from clock)
       and e.claim_id is null and e.status = 'RUNNING'
     order by e.due_at limit %(before)s) e
 where not exists (select 1 from place p where p.line = k.concurrency_key and p.version_id = v.version_id)

-- name: claim_limited
-- Takes and parks what was chosen, unless somebody else had his turn meanwhile. Locks: the limit, then executions; what is locked
-- elsewhere is passed over. The bucket fills up to this moment, and loses what begins. Indexes: primary keys.
with clock as materialized (
  select coalesce(%(now)s::timestamptz, clock_timestamp()) as now
), turn as materialized (
  select l.function from durable_limit l where l.function = %(function)s and l.turn = %(turn)s for no key update skip locked
), chosen as materialized (
  select e.id, e.invocations = 0 as is_new, a.line
    from turn cross join unnest(%(ids)b::uuid[], %(lines)b::text[]) as a(id, line) join durable_execution e on e.id = a.id
   where e.claim_id is null and e.status = 'RUNNING' and e.due_at <= (select now from clock)
   order by e.id for no key update of e skip locked
), parked as (
  update durable_execution e set line = p.line from chosen p where e.id = p.id and p.line is not null
), found as materialized (
  select p.id, t.function, p.is_new from chosen p cross join turn t where p.line is null
), turned as (
  update durable_limit l
     set turn = l.turn + 1, last_line = %(last_line)s, tokens_at = c.now, tokens = coalesce(
           least(l.burst, l.tokens + extract(epoch from c.now - l.tokens_at)::float8 * l.starts / l.seconds)
             - (select count(*) from found where is_new), 0)
    from turn t cross join clock c
   where l.function = t.function and exists (select 1 from found)
)
