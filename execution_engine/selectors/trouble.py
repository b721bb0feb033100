"""What goes wrong now, by function: for alerts, which ask again and again."""

from collections import Counter
from datetime import timedelta
from typing import Any

from django.db import connection

from execution_engine.selectors.executions import MAX_PAGE, list_executions
from execution_engine.selectors.explain import StateCode
from execution_engine.selectors.search import ExecutionFilters
from execution_engine.selectors.workers import served_version_ids

COUNTED = 1_000
"""Of one function version: more are not counted."""

# Index: execution_failures.
_FAILURES = """
select function, count(*) from durable_execution
 where status in ('FAILED', 'TIMED_OUT') and ended_at > statement_timestamp() - make_interval(secs => %s) group by function
"""
# Index: execution_claim_loop, one look per version that nobody serves.
_STRANDED = """
select v.function, sum(due.number)::int from durable_function_version v cross join lateral (
  select count(*) as number from (
    select from durable_execution e where e.function_version_id = v.id and e.due_at <= statement_timestamp() limit %s) bounded) due
 where v.id <> all(%s) and due.number > 0 group by v.function
"""


def failures(within: timedelta) -> dict[str, int]:
    """Executions that ended FAILED or TIMED_OUT within this time. One query."""
    return _counts(_FAILURES, [within.total_seconds()])


def stranded() -> dict[str, int]:
    """Executions that are due and whose version no live worker serves. Two queries."""
    return _counts(_STRANDED, [COUNTED, list(served_version_ids())])


def retrying() -> dict[str, int]:
    """Executions that wait for the next attempt of a step or an invocation, at most 200 in all, the newest first."""
    found = list_executions(ExecutionFilters(state=StateCode.RETRYING), limit=MAX_PAGE).items
    return dict(Counter(one.function for one in found))


def _counts(statement: str, params: list[Any]) -> dict[str, int]:
    with connection.cursor() as cursor:
        cursor.execute(statement, params)
        return dict(cursor.fetchall())
