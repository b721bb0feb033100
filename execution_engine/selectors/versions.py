"""How the versions of functions did lately, and one version with its code and the shape of its input."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection

from execution_engine.models import FunctionVersion

LOOKED_AT = 500
"""The newest executions of each function that the figures are made of: enough for a 95th percentile, and always quick."""

_STATS = """
select recent.function_version_id,
       count(*) as started,
       max(recent.started_at) as last_started_at,
       count(*) filter (where recent.status = 'SUCCEEDED') as succeeded,
       count(*) filter (where recent.status in ('FAILED', 'TIMED_OUT')) as failed,
       percentile_cont(0.5) within group (order by recent.ended_at - recent.started_at) as p50,
       percentile_cont(0.95) within group (order by recent.ended_at - recent.started_at) as p95
  from (select distinct function from durable_function_version
         where %(functions)s::text[] is null or function = any(%(functions)s::text[])) f
 cross join lateral (
       select function_version_id, status, started_at, ended_at
         from durable_execution
        where function = f.function
        order by started_at desc
        limit %(limit)s) recent
 group by recent.function_version_id
"""


@dataclass(frozen=True, slots=True)
class VersionStats:
    """Of the newest 500 executions of the function, those of this version; `p50` and `p95` of those that ended."""

    started: int = 0
    last_started_at: datetime | None = None
    succeeded: int = 0
    failed: int = 0
    p50: timedelta | None = None
    p95: timedelta | None = None

    @property
    def success_rate(self) -> float | None:
        """From 0 to 1 of those that succeeded or failed; None while there is none."""
        ended = self.succeeded + self.failed
        return self.succeeded / ended if ended else None


@dataclass(frozen=True, slots=True)
class VersionDetail:
    """One version as workers registered it; timeouts in seconds, `input_schema` is JSON text or ""."""

    id: int
    function: str
    version: str
    description: str
    source: str
    fingerprint: str
    input_schema: str
    execution_timeout: int | None
    invocation_timeout: int | None
    retention_days: int | None
    memory_mb: int
    registered_at: datetime


def version_stats(functions: Collection[str] | None = None) -> Mapping[int, VersionStats]:
    """By version id, of these functions, of all for None; versions without any execution among those looked at are left out. One query."""
    with connection.cursor() as cursor:
        cursor.execute(_STATS, {"limit": LOOKED_AT, "functions": None if functions is None else sorted(functions)})
        return {row[0]: VersionStats(*row[1:]) for row in cursor.fetchall()}


def find_version(function: str, version: str | None = None) -> VersionDetail | None:
    """This version, or without one the version registered last; None when there is none. One query."""
    found = FunctionVersion.objects.filter(function=function, **({"version": version} if version else {}))
    row = found.order_by("-id").values(*VersionDetail.__dataclass_fields__).first()
    return VersionDetail(**row) if row else None
