"""`make bench`: each workload on ours and on DBOS in turn, on one embedded PostgreSQL, and their ratios.

Arguments: `--rounds N` (3), `--only w1,w2,w5`. Prints one JSON line per figure and ends 1 when a target of TARGETS is missed.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg

from durable_ops.serve.layout import make_private_directory
from durable_ops.serve.postgres import EmbeddedPostgres

REPOSITORY = Path(__file__).resolve().parents[2]


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

    def measure(self, system: str, workload: str) -> list[dict[str, Any]]:
        module = {"ours": "ours", "dbos": "dbos_engine"}[system]
        url = self.fresh_database(f"bench_{system}")
        command = [sys.executable, "-m", f"tests.benchmarks.{module}", workload, url]
        arguments = [str(self.directory / "data")] if system == "ours" else []
        done = subprocess.run([*command, *arguments], cwd=REPOSITORY, stdout=subprocess.PIPE, text=True, check=True, env=os.environ)
        sys.stdout.write(done.stdout)
        sys.stdout.flush()
        return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]


def median(lines: list[dict[str, Any]], system: str, workload: str, key: str, mode: str | None = None) -> float:
    found = [line[key] for line in lines if line["system"] == system and line["workload"] == workload and line.get("mode") == mode]
    return statistics.median(found) if found else float("nan")


def summary(lines: list[dict[str, Any]]) -> dict[str, float]:
    """Medians over the rounds, and ratios of medians of the same run."""

    def of(system: str, workload: str, key: str, mode: str | None = None) -> float:
        return median(lines, system, workload, key, mode)

    ours, theirs = of("ours", "W1", "steps_per_s"), of("dbos", "W1", "steps_per_s")
    in_process, dbos_in_process = of("ours", "W2", "p50_ms", "in process"), of("dbos", "W2", "p50_ms", "in process")
    figures = {
        "w1_steps_per_s": ours,
        "w1_over_dbos": ours / theirs,
        "w2_p50_in_process_ms": in_process,
        "w2_over_dbos": in_process / dbos_in_process,
        "w2_p50_across_ms": of("ours", "W2", "p50_ms", "across processes"),
        "w2_across_over_dbos_in_process": of("ours", "W2", "p50_ms", "across processes") / dbos_in_process,
        "w5_steps_per_s": of("ours", "W5", "steps_per_s"),
        "w5_over_dbos": of("ours", "W5", "steps_per_s") / of("dbos", "W5", "steps_per_s"),
        "w5_last_over_first": of("ours", "W5", "last_over_first"),
        "w5_replay_ms": of("ours", "W5", "replay_ms"),
        "w5_replay_over_dbos": of("ours", "W5", "replay_ms") / of("dbos", "W5", "replay_ms"),
    }
    return {name: round(value, 3) for name, value in figures.items() if value == value}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", default="w1,w2,w5")
    parser.add_argument("--systems", default="ours,dbos")
    asked = parser.parse_args()
    directory = Path(tempfile.mkdtemp(prefix="durable-bench-", dir="/tmp"))
    bench = Bench(directory)
    bench.server.start()
    try:
        lines = [
            line
            for _ in range(asked.rounds)
            for workload in asked.only.split(",")
            for system in asked.systems.split(",")
            for line in bench.measure(system, workload)
        ]
    finally:
        bench.server.stop()
        shutil.rmtree(directory, ignore_errors=True)
    sys.stdout.write(json.dumps({"summary": summary(lines), "rounds": asked.rounds}) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
