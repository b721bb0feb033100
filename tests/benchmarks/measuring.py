"""What both engines are given, and how figures are computed and printed: one JSON line each."""

import itertools
import json
import statistics
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import psutil
import psycopg

STEPS = 10
LONG_STEPS = 2_000
TIMERS = 2_000
EVENTS = 2_000
OTHER_EVENTS = 300
LONE = 60
FAN_ITEMS = 1_000
FAN_LIMIT = 50
MANY_ITEMS = 10_000
FAN_RUNS = 5
RUNS = 300
PAUSE_SECONDS = 0.02

# 229 bytes of JSON: a small business record, as a step would return it.
PAYLOAD: dict[str, Any] = {
    "order": 123456,
    "status": "confirmed",
    "sku": "A-1002-XL",
    "qty": 3,
    "note": "x" * 110,
    "amount": 19.99,
    "tags": ["a", "b"],
}


def percentile(values: Sequence[float], percent: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, round(percent / 100 * (len(ordered) - 1)))]


def milliseconds(seconds: float) -> float:
    return round(seconds * 1000, 3)


def latencies(values: Sequence[float], percents: Sequence[int] = (50, 90, 99)) -> dict[str, float]:
    return {f"p{percent}_ms": milliseconds(percentile(values, percent)) for percent in percents}


def answer_calls(calls: Mapping[str, Callable[[], Any]]) -> None:
    """Makes the call that each line of the standard input names and prints its seconds: the caller alternates between engines."""
    print("ready", flush=True)  # noqa: T201
    for line in sys.stdin:
        began = time.perf_counter()
        calls[line.strip()]()
        print(time.perf_counter() - began, flush=True)  # noqa: T201


def growth(moments: Sequence[float]) -> dict[str, float]:
    """Of the moments after each step: the median time of the first and of the last 200, and their ratio."""
    each = [later - earlier for earlier, later in itertools.pairwise(moments)]
    first, last = statistics.median(each[:200]), statistics.median(each[-200:])
    return {"first_200_ms": milliseconds(first), "last_200_ms": milliseconds(last), "last_over_first": round(last / first, 3)}


def emit(system: str, workload: str, **figures: Any) -> None:
    sys.stdout.write(json.dumps({"system": system, "workload": workload, **figures}) + "\n")
    sys.stdout.flush()


class Meter:
    """Wall time and CPU seconds of a process tree and of PostgreSQL, which unlike wall time says the same on a busy machine."""

    def __init__(self, connection: psycopg.Connection[Any], pid: int) -> None:
        self._server = psutil.Process(connection.info.backend_pid).parent()
        self._engine = psutil.Process(pid)

    def __enter__(self) -> "Meter":
        self._before = (cpu_seconds(self._engine), cpu_seconds(self._server), time.perf_counter())
        return self

    def __exit__(self, *_: object) -> None:
        self.wall = time.perf_counter() - self._before[2]
        self.engine = cpu_seconds(self._engine) - self._before[0]
        self.server = cpu_seconds(self._server) - self._before[1]

    def throughput(self, executions: int, steps: int) -> dict[str, float]:
        return {
            "executions": executions,
            "wall_s": round(self.wall, 3),
            "steps_per_s": round(steps / self.wall),
            "engine_cpu_ms_per_step": round(self.engine / steps * 1000, 4),
            "postgres_cpu_ms_per_step": round(self.server / steps * 1000, 4),
        }

    def items(self, count: int) -> dict[str, float]:
        return {
            "items": count,
            "wall_s": round(self.wall, 3),
            "items_per_s": round(count / self.wall),
            "engine_cpu_ms_per_item": round(self.engine / count * 1000, 4),
            "postgres_cpu_ms_per_item": round(self.server / count * 1000, 4),
        }


def peak_megabytes(pids: Sequence[int]) -> float:
    """The most memory that one of the processes ever had resident."""
    texts = [Path(f"/proc/{pid}/status").read_text() for pid in pids]
    return max(int(text.split("VmHWM:")[1].split()[0]) for text in texts) / 1024


def cpu_seconds(process: psutil.Process | None) -> float:
    """User and system time of the tree, including children that were collected."""
    assert process is not None
    total = 0.0
    for member in (process, *process.children(recursive=True)):
        try:
            times = member.cpu_times()
        except psutil.NoSuchProcess:
            continue
        total += times.user + times.system + times.children_user + times.children_system
    return total


def replay_figures(moments: Sequence[float]) -> dict[str, float]:
    """Of a second run over recorded steps: all of them, and the median step."""
    each = [later - earlier for earlier, later in itertools.pairwise(moments)]
    return {"replay_ms": milliseconds(moments[-1] - moments[0]), "replay_step_us": round(statistics.median(each) * 1e6, 1)}
