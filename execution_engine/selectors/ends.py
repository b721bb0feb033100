"""Ends of executions in the order of their time, page by page, without an index of their own."""

# Index: execution_purge, once per number of days that an author may choose. The statement's time rather than the clock's: it bounds
# the index scan, where a volatile function would filter every end since.
ENDS_SQL = """
select one.ended_at, one.id from generate_series(1, 90) as d(days) cross join lateral (
  select e.ended_at, e.id from durable_execution e
   where e.retention_days = d.days and e.ended_at >= %(at)s and (e.ended_at, e.id) > (%(at)s, %(id)s)
     and e.ended_at < statement_timestamp() - make_interval(secs => %(behind)s)
   order by e.ended_at, e.id limit %(limit)s) one
 order by one.ended_at, one.id limit %(limit)s
"""
"""Columns `ended_at, id` of at most `limit` ends after (`at`, `id`) that lie `behind` seconds back.

An end that was committed late may lie before a place that was read already: whoever must not miss one reads again, hours behind.
"""
