"""Workers that are alive and the function versions they serve."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models.functions import Now

from execution_engine.models import Worker

FRESH = timedelta(seconds=30)
"""A worker writes its row every few seconds; one silent for longer is gone or cannot reach the database."""


@dataclass(frozen=True, slots=True)
class LiveWorker:
    boot_id: UUID
    host: str
    pid: int
    started_at: datetime
    seen_at: datetime
    threads: int
    in_flight: int
    lost_threads: int
    is_draining: bool
    version_ids: tuple[int, ...]


def live_workers() -> list[LiveWorker]:
    """Workers seen within the last 30 s by the database's clock, by host and process id."""
    columns = ("boot_id", "host", "pid", "started_at", "seen_at", "threads", "in_flight", "lost_threads", "is_draining")
    rows = Worker.objects.filter(seen_at__gt=Now() - FRESH).order_by("host", "pid").values(*columns, "version_ids")
    return [LiveWorker(**{**row, "version_ids": tuple(row["version_ids"])}) for row in rows]


def served_version_ids() -> frozenset[int]:
    """Ids of the function versions that some live worker claims; a draining one claims nothing any more."""
    return frozenset(one for worker in live_workers() if not worker.is_draining for one in worker.version_ids)
