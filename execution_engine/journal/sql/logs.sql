-- name: keep_lines
-- Lines in the order they were said, up to a number per execution; the last place says that there were more.
-- Index: log_lines_of_execution.
with given as (
  select a.* from unnest(%(executions)s::uuid[], %(operations)s::text[], %(attempts)s::int[], %(times)s::timestamptz[], %(levels)s::text[],
                         %(loggers)s::text[], %(messages)s::text[])
         with ordinality as a(execution_id, operation_id, attempt, at, level, logger, message, place)
), there as (
  select e.execution_id, (select count(*) from (
           select 1 from durable_log_line l where l.execution_id = e.execution_id limit %(most)s) found) as number
    from (select distinct execution_id from given) e
), placed as (
  select g.*, t.number + row_number() over (partition by g.execution_id order by g.place) as number
    from given g join there t using (execution_id)
)
insert into durable_log_line (execution_id, operation_id, attempt, at, level, logger, message)
select execution_id, operation_id, attempt, at, case when number = %(most)s then 'WARNING' else level end, logger,
       case when number = %(most)s then %(notice)s else message end
  from placed where number <= %(most)s order by place

-- name: forget_old_lines
-- The oldest ones, as ids grow with time: a look at a few rows however many there are.
delete from durable_log_line
 where id in (select id from durable_log_line order by id limit %(limit)s) and at < clock_timestamp() - make_interval(days => %(days)s)
