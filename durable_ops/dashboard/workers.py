"""Live workers as pages show them: with the names of what they serve."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from uuid import UUID

from execution_engine.selectors.functions import VersionRow
from execution_engine.selectors.workers import LiveWorker

VERSIONS_SHOWN = 8


@dataclass(frozen=True, slots=True)
class ServingWorker:
    """A live worker and the first function versions that it serves; `more` are not named."""

    worker: LiveWorker
    versions: tuple[str, ...]
    more: int


def version_names(versions: Iterable[VersionRow]) -> dict[int, str]:
    """By the id of the version's row: `refund v2`."""
    return {version.id: f"{version.function} v{version.version}" for version in versions}


def serving(workers: Iterable[LiveWorker], names: Mapping[int, str]) -> list[ServingWorker]:
    """Each worker with the versions that it serves of those in `names`, which are the ones that the reader may see."""
    return [_serving(worker, sorted(names[one] for one in worker.version_ids if one in names)) for worker in workers]


def noticeable(workers: Iterable[LiveWorker]) -> list[tuple[UUID, int, bool, int]]:
    """What a reader would notice when it changes. That a worker was seen again, every few seconds, is not part of it."""
    return [(worker.boot_id, worker.in_flight, worker.is_draining, worker.lost_threads) for worker in workers]


def _serving(worker: LiveWorker, versions: list[str]) -> ServingWorker:
    return ServingWorker(worker, tuple(versions[:VERSIONS_SHOWN]), max(len(versions) - VERSIONS_SHOWN, 0))
