"""Plans of the engine's statements over a long queue, as they were executed."""

import json
from collections.abc import Iterator
from typing import Any

import psycopg

from execution_engine.journal import statements

MANY = 20_000
FILL = """
insert into durable_execution (
  id, function_version_id, function, version, name, status, started_at, due_at, retention_days, invocations, failed_invocations,
  is_suspect, runs_alone, event_seq, checkpoint_seq, wake_seq, told_seq, last_event_at, status_text, attributes, started_by,
  owes_parent, redrive_count, concurrency_key, line, claim_id)
select gen_random_uuid(), %(version)s, 'test-journal', '1', 'n' || n || gen_random_uuid(), 'RUNNING', now(),
       now() - interval '1 day' + n * interval '1 ms', 14, 0,
       0, false, false, 1, 0, 0, -1, now(), '', '{}', '', false, 0, %(key)s, %(line)s,
       null
  from generate_series(1, %(number)s) n
"""


def fill(connection: psycopg.Connection[Any], version: int, number: int = MANY, key: str | None = None, line: str | None = None) -> None:
    connection.execute(FILL, {"version": version, "number": number, "key": key, "line": line})
    connection.execute("analyze durable_execution")


class Explained:
    """A connection, or its one cursor, that notes the executed plan of every statement, rolled back, before it runs it."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self._connection = connection
        self.plans: dict[str, dict[str, Any]] = {}

    def execute(self, text: str, params: dict[str, Any] | None = None, *, binary: bool = False) -> psycopg.Cursor[Any]:
        with self._connection.transaction(force_rollback=True):
            row = self._connection.execute(f"explain (analyze, format json) {text}", params).fetchone()
        assert row is not None
        name = next(name for name, known in statements._statements().items() if text.startswith(known))
        self.plans[name] = (row[0] if isinstance(row[0], list) else json.loads(row[0]))[0]["Plan"]
        self._answer = self._connection.execute(text, params, binary=binary)
        return self._answer

    def fetchone(self) -> Any:
        return self._answer.fetchone()


def scans(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """What of the plan reads executions."""
    if node.get("Relation Name") == "durable_execution" and "Scan" in node["Node Type"]:
        yield node
    for inner in node.get("Plans", ()):
        yield from scans(inner)


def rows_read(node: dict[str, Any]) -> int:
    return int(sum((one["Actual Rows"] + one.get("Rows Removed by Filter", 0)) * one["Actual Loops"] for one in scans(node)))


def indexes(node: dict[str, Any]) -> set[str]:
    own = {node["Index Name"]} if "Index Name" in node else set()
    return own.union(*(indexes(inner) for inner in node.get("Plans", ())))
