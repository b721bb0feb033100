"""How many executions are in which derived state."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from django.db import connection
from django.db.models import Q

from execution_engine.core.enums import TERMINAL_EXECUTION_STATUSES
from execution_engine.models import Execution
from execution_engine.selectors import states
from execution_engine.selectors.explain import StateCode
from execution_engine.selectors.search import estimate, of_functions
from execution_engine.selectors.workers import LiveWorker, live_workers

COUNTED = 10_000
_ENDED = """
select s, (select count(*) from (select 1 from durable_execution where status = s limit %s) found) from unnest(%s::text[]) s
"""
# Function by function, each through its own index, so that a rare one is not looked for among all the others.
_ENDED_OF = """
select s, (select count(*) from (
         select 1 from unnest(%s::text[]) f cross join lateral (
           select 1 from durable_execution where function = f and status = s limit %s) one
          limit %s) found)
  from unnest(%s::text[]) s
"""


@dataclass(frozen=True, slots=True)
class Overview:
    """Counts by derived state: exact up to 10,000, those in `estimated` from the planner's statistics."""

    counts: Mapping[StateCode, int]
    estimated: frozenset[StateCode]
    workers: tuple[LiveWorker, ...]

    @property
    def served(self) -> frozenset[int]:
        """Ids of the function versions that some worker claims."""
        return frozenset(one for worker in self.workers if not worker.is_draining for one in worker.version_ids)

    @property
    def total(self) -> int:
        return sum(self.counts.values())


def overview(functions: Collection[str] | None = None) -> Overview:
    """Of these functions, of all for None.

    Three queries, and one more for each status, or for the open ones together, of which there are more than 10,000.
    """
    workers = tuple(live_workers())
    opened, open_estimated = _open(Overview({}, frozenset(), workers).served, of_functions(functions))
    ended, ended_estimated = _ended(functions)
    return Overview({**opened, **ended}, open_estimated | ended_estimated, workers)


def _open(served: Collection[int], functions: Q) -> tuple[dict[StateCode, int], frozenset[StateCode]]:
    """Beyond the newest that are looked at, the older ones are taken to be in the same states."""
    found, examined = states.open_states(served, functions)
    if examined < states.EXAMINED:
        return dict(found), frozenset()
    share = max(estimate(Execution.objects.filter(functions, ended_at__isnull=True)) / examined, 1)
    return {code: round(number * share) for code, number in found.items()}, frozenset(found)


def _ended(functions: Collection[str] | None) -> tuple[dict[StateCode, int], frozenset[StateCode]]:
    statuses = sorted(status.value for status in TERMINAL_EXECUTION_STATUSES)
    with connection.cursor() as cursor:
        if functions is None:
            cursor.execute(_ENDED, (COUNTED + 1, statuses))
        else:
            cursor.execute(_ENDED_OF, (sorted(functions), COUNTED + 1, COUNTED + 1, statuses))
        counts = {StateCode(status.lower()): number for status, number in cursor.fetchall()}
    many = frozenset(code for code, number in counts.items() if number > COUNTED)
    guesses = {code: max(estimate(Execution.objects.filter(of_functions(functions), status=code.value.upper())), COUNTED) for code in many}
    return {**counts, **guesses}, many
