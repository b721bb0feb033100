"""Executions in the order in which they ended, page by page, by an index that the purge has anyway."""

# Index: execution_purge, which begins with the days of retention: one range scan for each of the 1 to 90 days that an author may choose.
# statement_timestamp() bounds that scan; clock_timestamp() is volatile, so every end since `at` would be read and then filtered.
ENDED_AFTER_SQL = """
select one.ended_at, one.id from generate_series(1, 90) as d(days) cross join lateral (
  select e.ended_at, e.id from durable_execution e
   where e.retention_days = d.days and e.ended_at >= %(at)s and (e.ended_at, e.id) > (%(at)s, %(id)s)
     and e.ended_at < statement_timestamp() - make_interval(secs => %(behind)s)
   order by e.ended_at, e.id limit %(limit)s) one
 order by one.ended_at, one.id limit %(limit)s
"""
"""Columns `ended_at, id`: at most `limit` executions that ended after the place (`at`, `id`) and at least `behind` seconds ago.

A transaction that commits late can put an end before a place that was read already. Whoever must miss none reads a second time, hours
behind.
"""
