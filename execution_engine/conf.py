"""Every setting of the engine, once: `settings.DURABLE_EXECUTION` checked into one frozen object.

Names carry their unit. A value outside its bounds stops the start and says which.
"""

from dataclasses import dataclass, fields
from functools import lru_cache
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class EngineSettings:
    """Defaults with their reasons; the bounds stand in `_BOUNDS`.

    - `THREADS`: handler threads per worker child. 64 keep a group commit full on two cores; 1 serves handlers that
      kill their own process.
    - `DJANGO_POOL`: Django connections a worker child may hold for step bodies.
    - `CLAIM_SECONDS`, `RENEW_SECONDS`: an invocation keeps its claim this long after its worker was last heard; three
      renewals fit in, so that two lost ones do no harm.
    - `LOOK_SECONDS`: a worker looks by itself at least this often, whatever rings.
    - `HELD_START_SECONDS`: a START that need not be durable at once is written after this time at the latest.
    - `FLUSH_PAYLOAD_BYTES`: one update above it leaves the shared commit and goes alone, so nobody waits for it.
    - `MAX_PAYLOAD_BYTES`: input, result and operation payloads of our own SDK (AWS: 6 MiB).
    - `OUTSIDE_PAYLOAD_BYTES`: operation payloads of checkpoints over HTTP (AWS: 1 MiB); a result has `MAX_PAYLOAD_BYTES`.
    - `WARM_EXECUTIONS`, `WARM_BYTES`: what a worker child remembers of suspended executions, so that their resume reads only what is
      new; 64 MiB hold some 60,000 operations. 0 executions: nothing.
    - `LOG_LINES`, `LOG_DAYS`: what handlers print and log is kept in the database, so many lines of an execution and so long; 0 lines
      keep none. The file below `DATA_DIR` has them all.
    - `LOG_FILE_BYTES`, `LOG_FILES`: at this length that file is renamed to `.1`, and so many older ones are kept, so that the disk
      does not fill; 0 bytes: never, for those who rotate it themselves.
    """

    THREADS: int = 64
    DJANGO_POOL: int = 16
    REGION: str = "us-east-1"
    ACCOUNT: str = "000000000000"
    DATA_DIR: str = ""
    FUNCTION_MODULES: tuple[str, ...] = ()
    CLAIM_SECONDS: int = 30
    RENEW_SECONDS: int = 10
    LOOK_SECONDS: float = 1.0
    HELD_START_SECONDS: float = 0.05
    INVOCATION_TIMEOUT_SECONDS: int = 900
    DRAIN_SECONDS: int = 20
    FLUSH_PAYLOAD_BYTES: int = 256 * 1024
    MAX_PAYLOAD_BYTES: int = 6 * MIB
    OUTSIDE_PAYLOAD_BYTES: int = MIB
    WARM_EXECUTIONS: int = 1000
    WARM_BYTES: int = 64 * MIB
    RETENTION_DAYS: int = 14
    LOG_LINES: int = 5_000
    LOG_DAYS: int = 14
    LOG_FILE_BYTES: int = 64 * MIB
    LOG_FILES: int = 5


_BOUNDS: dict[str, tuple[float, float]] = {
    "THREADS": (1, 1024),
    "DJANGO_POOL": (1, 256),
    "CLAIM_SECONDS": (3, 3600),
    "RENEW_SECONDS": (1, 1200),
    "LOOK_SECONDS": (0.05, 60),
    "HELD_START_SECONDS": (0, 5),
    "INVOCATION_TIMEOUT_SECONDS": (1, 86_400),
    "DRAIN_SECONDS": (0, 3600),
    "FLUSH_PAYLOAD_BYTES": (1024, 64 * MIB),
    "MAX_PAYLOAD_BYTES": (1024, 64 * MIB),
    "OUTSIDE_PAYLOAD_BYTES": (1024, 64 * MIB),
    "WARM_EXECUTIONS": (0, 1_000_000),
    "WARM_BYTES": (0, 64 * 1024 * MIB),
    "RETENTION_DAYS": (1, 90),
    "LOG_LINES": (0, 1_000_000),
    "LOG_DAYS": (1, 90),
    "LOG_FILE_BYTES": (0, 1024 * 1024 * MIB),
    "LOG_FILES": (1, 1000),
}


@lru_cache(maxsize=1)
def engine_settings() -> EngineSettings:
    """The checked settings of this process. Raises `ImproperlyConfigured` naming the setting, the value and its bounds."""
    given: dict[str, Any] = dict(getattr(settings, "DURABLE_EXECUTION", {}))
    unknown = sorted(set(given) - {field.name for field in fields(EngineSettings)})
    if unknown:
        raise ImproperlyConfigured(f"DURABLE_EXECUTION has no setting {', '.join(unknown)}")
    for name, (low, high) in _BOUNDS.items():
        if name in given and not low <= given[name] <= high:
            raise ImproperlyConfigured(f"DURABLE_EXECUTION[{name!r}] is {given[name]!r}; it must be from {low} to {high}")
    given["FUNCTION_MODULES"] = tuple(given.get("FUNCTION_MODULES") or ())
    checked = EngineSettings(**given)
    if checked.RENEW_SECONDS * 2 > checked.CLAIM_SECONDS:
        raise ImproperlyConfigured("DURABLE_EXECUTION['RENEW_SECONDS'] must be at most half of CLAIM_SECONDS")
    return checked
