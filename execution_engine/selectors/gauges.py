"""How many executions are open, for machines that ask every few seconds."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Case, Count, Min, Value, When
from django.db.models.functions import Now

from execution_engine.models import Execution
from execution_engine.selectors import states
from execution_engine.selectors.explain import StateCode

_OWN = (StateCode.PAUSED, StateCode.RUNNING, StateCode.STRANDED, StateCode.QUEUED)


@dataclass(frozen=True, slots=True)
class OpenCount:
    """Open executions of a function in a state: paused, running, stranded, queued, or waiting for whatever it is.

    `oldest` is how long the first of them has been due; None for those that wait.
    """

    function: str
    state: StateCode
    number: int
    oldest: timedelta | None


def open_counts(served: Collection[int], functions: Collection[str] | None = None) -> list[OpenCount]:
    """Of these functions, None for all. One query, answered from the index `execution_open` alone; its time grows with what is open."""
    cases = [When(states.own_state(code, served), then=Value(code.value)) for code in _OWN]
    rows: Any = Execution.objects.filter(ended_at__isnull=True).annotate(own=Case(*cases, default=Value(StateCode.WAITING.value)))
    rows = rows if functions is None else rows.filter(function__in=functions)
    found = rows.values("function", "own").annotate(number=Count("id"), due=Min("due_at"), now=Now()).order_by("function", "own")
    return [OpenCount(one["function"], StateCode(one["own"]), one["number"], _age(one["own"], one["due"], one["now"])) for one in found]


def _age(state: str, due: datetime | None, now: datetime) -> timedelta | None:
    return max(now - due, timedelta()) if due is not None and state in (StateCode.QUEUED, StateCode.STRANDED) else None
