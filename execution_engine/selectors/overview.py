"""How many executions are in which derived state."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from django.db.models import Count

from execution_engine.core.enums import TERMINAL_EXECUTION_STATUSES, ExecutionStatus
from execution_engine.models import Execution
from execution_engine.selectors.explain import StateCode
from execution_engine.selectors.states import state_case
from execution_engine.selectors.workers import LiveWorker, live_workers

EXAMINED = 2_000
"""Open executions whose state is derived for the counts, the newest first: bounds the work of a page."""

COUNTED = 10_000


@dataclass(frozen=True, slots=True)
class Overview:
    """Counts by derived state; those in `at_least` were cut off and stand for "this many or more"."""

    counts: Mapping[StateCode, int]
    at_least: frozenset[StateCode]
    workers: tuple[LiveWorker, ...]

    @property
    def total(self) -> int:
        return sum(self.counts.values())


def overview() -> Overview:
    """Six queries whatever the number of executions."""
    workers = tuple(live_workers())
    served = frozenset(one for worker in workers if not worker.is_draining for one in worker.version_ids)
    counts, at_least = _open_counts(served)
    for status in sorted(TERMINAL_EXECUTION_STATUSES):
        code = StateCode(status.value.lower())
        counts[code] = Execution.objects.filter(status=status).values("id")[: COUNTED + 1].count()
        if counts[code] > COUNTED:
            counts[code] = COUNTED
            at_least.add(code)
    return Overview(counts, frozenset(at_least), workers)


def _open_counts(served: Collection[int]) -> tuple[dict[StateCode, int], set[StateCode]]:
    statuses = [ExecutionStatus.RUNNING, ExecutionStatus.PAUSED, ExecutionStatus.PAUSING]
    newest = Execution.objects.filter(status__in=statuses).order_by("-started_at").values("id")[:EXAMINED]
    examined = Execution.objects.filter(id__in=newest).annotate(state=state_case(served)).order_by()
    counts = {StateCode(row["state"]): row["number"] for row in examined.values("state").annotate(number=Count("id"))}
    is_cut = sum(counts.values()) >= EXAMINED
    return counts, set(counts) if is_cut else set()
