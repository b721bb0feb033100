"""How many calls a key (or a signed-in person) may make in a minute: `API_CALLS_PER_MINUTE`, 0 for any number.

Counted over all web processes in the Redis or Valkey that is the broker. Without one, or while it is away, each process counts for
itself: the limit then holds per process. A window is a minute of the clock.
"""

import threading
import time
from dataclasses import dataclass
from functools import cache
from typing import Any

import redis
from django.conf import settings

from durable_ops.models import ApiKey
from execution_engine.core.errors import CommandError

WINDOW_SECONDS = 60
AWAY_SECONDS = 5
"""So long a Redis that did not answer is left alone: a call must not wait for it each time."""


@dataclass(frozen=True, slots=True)
class Rate:
    """Calls of one caller in this minute; `reset` is the seconds left of it."""

    limit: int
    used: int
    reset: int

    def headers(self) -> dict[str, str]:
        left = max(self.limit - self.used, 0)
        return {"RateLimit-Limit": str(self.limit), "RateLimit-Remaining": str(left), "RateLimit-Reset": str(self.reset)}


class TooManyCallsError(CommandError):
    code = "rate_limited"
    status = 429

    def __init__(self, rate: Rate) -> None:
        message = f"More than {rate.limit} calls in this minute; try again in {rate.reset} s."
        super().__init__(message, limit=rate.limit, retry_after=rate.reset)


def count_call(request: Any) -> Rate | None:
    """Counts this call for `request.user` and `request.auth`, the key if one was sent; None without a limit.

    Raises TooManyCallsError, and leaves the rate on the request for its headers.
    """
    limit = int(getattr(settings, "API_CALLS_PER_MINUTE", 0))
    if not limit or not request.user.is_authenticated:
        return None
    caller = f"key:{request.auth.pk}" if isinstance(request.auth, ApiKey) else f"user:{request.user.pk}"
    minute, second = divmod(int(time.time()), WINDOW_SECONDS)
    rate = Rate(limit, _counter().count(f"durable-ops:calls:{caller}:{minute}"), WINDOW_SECONDS - second)
    request.rate = rate
    if rate.used > limit:
        raise TooManyCallsError(rate)
    return rate


class Counter:
    """Counts in Redis, and in this process while there is none."""

    def __init__(self, url: str) -> None:
        self._redis = redis.Redis.from_url(url, socket_timeout=0.2, socket_connect_timeout=0.2) if url else None
        self._away_until = 0.0
        self._lock = threading.Lock()
        self._own: dict[str, int] = {}

    def count(self, name: str) -> int:
        if self._redis is not None and time.monotonic() >= self._away_until:
            try:
                return self._count_shared(self._redis, name)
            except redis.RedisError:
                self._away_until = time.monotonic() + AWAY_SECONDS
        return self._count_here(name)

    def _count_shared(self, server: Any, name: str) -> int:
        with server.pipeline(transaction=False) as pipeline:
            pipeline.incr(name).expire(name, 2 * WINDOW_SECONDS)
            return int(pipeline.execute()[0])

    def _count_here(self, name: str) -> int:
        minute = name.rpartition(":")[2]
        with self._lock:
            if name not in self._own:
                self._own = {one: count for one, count in self._own.items() if one.endswith(minute)}
            self._own[name] = self._own.get(name, 0) + 1
            return self._own[name]


@cache
def _counter() -> Counter:
    return Counter(redis_url(str(getattr(settings, "CELERY_BROKER_URL", "") or "")))


def redis_url(broker: str) -> str:
    """The broker's address as the client library reads it; empty when it is no Redis."""
    if broker.startswith("redis+socket://"):
        return f"unix://{broker.removeprefix('redis+socket://')}"
    return broker if broker.startswith(("redis://", "rediss://", "unix://")) else ""
