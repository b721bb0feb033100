"""`make bench`: each workload on ours and on DBOS in turn, on one embedded PostgreSQL, and their ratios.

Arguments: `--rounds N` (3), `--only w1,w2,...`. Prints one JSON line per figure, then medians and ratios; ends 1 when a target is missed.
"""

import argparse
import json
import math
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg

from durable_ops.serve.layout import make_private_directory
from durable_ops.serve.postgres import EmbeddedPostgres
from tests.benchmarks.measuring import PAUSE_SECONDS, RUNS, latencies

REPOSITORY = Path(__file__).resolve().parents[2]
MODES = [("ours", "in process"), ("dbos", "in process"), ("ours", "across processes"), ("dbos", "started in process")]

# What a release must reach. Steps a second need a machine that does nothing else; the ratios hold on any.
AT_LEAST = {"w1_steps_per_s": 5_000, "w1_over_dbos": 8.0, "w4_events_per_s": 1_000, "w6_items_per_s": 4_000, "w6_over_dbos": 8.0}
AT_MOST = {
    "w2_in_process_p50_over_dbos": 1.2,
    "w2_across_processes_p50_over_dbos": 1.2,
    "w3_drain_s": 0.55,
    "w3_lone_lag_p50_ms": 10,
    "w4_lone_p50_ms": 50,
    "w4_lone_p99_ms": 300,
    "w5_last_over_first": 1.1,
    "w5_replay_ms": 50,
    "w6_first_run_growth": 1.5,
    "w6_replay_growth": 1.5,
    "w6_worker_mb": 512,
}


class Bench:
    """One server, a fresh database per workload, each workload in processes of its own."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.sockets = directory / "sockets"
        make_private_directory(self.sockets)
        self.server = EmbeddedPostgres(directory / "postgres", self.sockets, directory / "postgres.log")

    def fresh_database(self, name: str) -> str:
        with psycopg.connect(host=str(self.sockets), user="postgres", dbname="postgres", autocommit=True) as connection:
            connection.execute(psycopg.sql.SQL("drop database if exists {} with (force)").format(psycopg.sql.Identifier(name)))
            connection.execute(psycopg.sql.SQL("create database {}").format(psycopg.sql.Identifier(name)))
            connection.execute("checkpoint")
        return f"postgresql://postgres@/{name}?host={quote(str(self.sockets))}"

    def command(self, system: str, workload: str) -> list[str]:
        module = {"ours": "ours", "dbos": "dbos_engine"}[system]
        url = self.fresh_database(f"bench_{system}_{workload}")
        return [sys.executable, "-m", f"tests.benchmarks.{module}", workload, url, str(self.directory / "data")]

    def measure(self, system: str, workload: str) -> list[dict[str, Any]]:
        done = subprocess.run(self.command(system, workload), cwd=REPOSITORY, stdout=subprocess.PIPE, text=True, check=True)
        return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]

    def alternate(self) -> list[dict[str, Any]]:
        """W2: single executions of all engines in turn, so that whatever else the machine does meets all of them alike."""
        with ExitStack() as stack:
            engines = {system: stack.enter_context(Caller(self.command(system, "w2"))) for system in ("ours", "dbos")}
            found: dict[tuple[str, str], list[float]] = {mode: [] for mode in MODES}
            for number in range(-20, RUNS):
                for system, mode in MODES:
                    time.sleep(PAUSE_SECONDS)
                    seconds = engines[system].call(mode)
                    if number >= 0:
                        found[system, mode].append(seconds)
        return [{"system": system, "workload": "W2", "mode": mode, **latencies(times)} for (system, mode), times in found.items()]


class Caller:
    """A process that makes a call for each line it is sent."""

    def __init__(self, command: list[str]) -> None:
        self._process = subprocess.Popen(command, cwd=REPOSITORY, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def __enter__(self) -> "Caller":
        assert self._read() == "ready"
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(60)

    def call(self, mode: str) -> float:
        assert self._process.stdin is not None
        self._process.stdin.write(mode + "\n")
        self._process.stdin.flush()
        return float(self._read())

    def _read(self) -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise SystemExit(f"a measured process ended with {self._process.wait()}")
        return line.strip()


def summary(lines: list[dict[str, Any]]) -> dict[str, float]:
    """Medians over the rounds, and ratios of medians of the same run."""

    def of(system: str, workload: str, key: str, mode: str | None = None) -> float:
        found = [line[key] for line in lines if (line["system"], line["workload"], line.get("mode")) == (system, workload, mode)]
        return statistics.median(found) if found else math.nan

    # DBOS has two ways to run a workflow in process; the quicker one counts.
    dbos_p50 = min(of("dbos", "W2", "p50_ms", mode) for mode in ("in process", "started in process"))
    figures = {
        "w1_steps_per_s": of("ours", "W1", "steps_per_s"),
        "w1_over_dbos": of("ours", "W1", "steps_per_s") / of("dbos", "W1", "steps_per_s"),
        "w2_in_process_p50_over_dbos": of("ours", "W2", "p50_ms", "in process") / dbos_p50,
        "w2_across_processes_p50_over_dbos": of("ours", "W2", "p50_ms", "across processes") / dbos_p50,
        "w5_steps_per_s_over_dbos": of("ours", "W5", "steps_per_s") / of("dbos", "W5", "steps_per_s"),
        "w5_last_over_first": of("ours", "W5", "last_over_first"),
        "w5_replay_ms": of("ours", "W5", "replay_ms"),
        "w3_drain_s": of("ours", "W3", "drain_s", "due at once"),
        "w3_wakes_per_s_over_dbos": of("ours", "W3", "wakes_per_s", "due at once") / of("dbos", "W3", "wakes_per_s", "due at once"),
        "w3_lone_lag_p50_ms": of("ours", "W3", "p50_ms", "lone"),
        "w4_events_per_s": of("ours", "W4", "events_per_s", "one by one"),
        "w4_over_dbos": of("ours", "W4", "events_per_s", "one by one") / of("dbos", "W4", "events_per_s", "one by one"),
        "w4_lone_p50_ms": of("ours", "W4", "p50_ms", "lone"),
        "w4_lone_p99_ms": of("ours", "W4", "p99_ms", "lone"),
        "w6_items_per_s": of("ours", "W6", "items_per_s"),
        "w6_over_dbos": of("ours", "W6", "items_per_s") / of("dbos", "W6", "items_per_s"),
        "w6_first_run_growth": of("ours", "W6 large", "first_run_growth"),
        "w6_replay_growth": of("ours", "W6 large", "replay_growth"),
        "w6_worker_mb": of("ours", "W6 large", "worker_mb"),
    }
    return {name: round(value, 3) for name, value in figures.items() if not math.isnan(value)}


def missed(figures: dict[str, float]) -> dict[str, str]:
    """The targets that were not reached, as sentences."""
    below = {name: f"{figures[name]} is below {least}" for name, least in AT_LEAST.items() if figures.get(name, least) < least}
    above = {name: f"{figures[name]} is above {most}" for name, most in AT_MOST.items() if figures.get(name, most) > most}
    return below | above


def show(lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    for line in lines:
        print(json.dumps(line), flush=True)  # noqa: T201
    return lines


def measured(bench: Bench, rounds: int, workloads: list[str]) -> Iterator[dict[str, Any]]:
    for _ in range(rounds):
        for workload in workloads:
            if workload == "w2":
                yield from show(bench.alternate())
                continue
            for system in ("ours", "dbos"):
                yield from show(bench.measure(system, workload))


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", default="w1,w2,w3,w4,w5,w6", help="workloads, comma separated")
    asked = parser.parse_args()
    directory = Path(tempfile.mkdtemp(prefix="durable-bench-", dir="/tmp"))
    bench = Bench(directory)
    bench.server.start()
    try:
        figures = summary(list(measured(bench, asked.rounds, asked.only.split(","))))
    finally:
        bench.server.stop()
        shutil.rmtree(directory, ignore_errors=True)
    show([{"summary": figures, "rounds": asked.rounds, "missed": missed(figures)}])
    return 1 if missed(figures) else 0


if __name__ == "__main__":
    sys.exit(main())
