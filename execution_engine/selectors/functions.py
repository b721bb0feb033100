"""Functions, their versions, what is open of each and who serves them."""

from collections import Counter, defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Count, Q

from execution_engine.models import Execution, FunctionVersion
from execution_engine.selectors.search import of_functions
from execution_engine.selectors.workers import live_workers


@dataclass(frozen=True, slots=True)
class VersionRow:
    """One version of a function: `in_flight` executions hold a claim, `waiting` ones do not. Timeouts in seconds."""

    id: int
    function: str
    version: str
    description: str
    execution_timeout: int | None
    retention_days: int | None
    fingerprint: str
    registered_at: datetime
    in_flight: int
    waiting: int
    workers: int

    @property
    def is_stranded(self) -> bool:
        return self.workers == 0 and self.in_flight + self.waiting > 0


@dataclass(frozen=True, slots=True)
class FunctionRow:
    """A function with its versions, the latest registered first."""

    name: str
    versions: tuple[VersionRow, ...]


_COLUMNS = ("id", "function", "version", "description", "execution_timeout", "retention_days", "fingerprint", "registered_at")


@dataclass(frozen=True, slots=True)
class VersionSource:
    """The code that an execution is pinned to, as the workers registered it."""

    function: str
    version: str
    description: str
    source: str
    fingerprint: str
    registered_at: datetime


def get_source(version_id: int) -> VersionSource | None:
    row = FunctionVersion.objects.filter(id=version_id).values(*VersionSource.__dataclass_fields__).first()
    return VersionSource(**row) if row else None


def list_functions(functions: Collection[str] | None = None) -> list[FunctionRow]:
    """These functions, every one for None, by name. Three queries: versions, workers, open executions."""
    versions = list(FunctionVersion.objects.filter(of_functions(functions)).order_by("function", "-id").values(*_COLUMNS))
    workers = Counter(one for worker in live_workers() if not worker.is_draining for one in worker.version_ids)
    counts = Execution.objects.filter(of_functions(functions), ended_at__isnull=True).values("function_version_id").order_by()
    claimed = Q(claim_id__isnull=False)
    opened = {row["function_version_id"]: row for row in counts.annotate(held=Count("id", filter=claimed), all=Count("id"))}
    grouped: dict[str, list[VersionRow]] = defaultdict(list)
    for row in versions:
        here = opened.get(row["id"], {"held": 0, "all": 0})
        state = {"in_flight": here["held"], "waiting": here["all"] - here["held"], "workers": workers[row["id"]]}
        grouped[row["function"]].append(VersionRow(**row, **state))
    return [FunctionRow(name, tuple(rows)) for name, rows in grouped.items()]


def function_names() -> list[str]:
    return list(FunctionVersion.objects.order_by("function").values_list("function", flat=True).distinct())


def function_of(execution_id: UUID) -> str | None:
    """Whose execution it is; None when there is none. One look at the primary key."""
    return Execution.objects.filter(id=execution_id).values_list("function", flat=True).first()


def function_versions(function: str) -> list[str]:
    """Versions of one function, the latest registered first."""
    return list(FunctionVersion.objects.filter(function=function).order_by("-id").values_list("version", flat=True))
