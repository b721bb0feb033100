"""One builder per engine table. The models refuse ORM writes, so rows go past their managers; nothing here is a legal history."""

import json
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any
from uuid import UUID, uuid4

from django.db.models import QuerySet

from execution_engine.core.identifiers import new_callback_id, new_execution_id
from execution_engine.models import Event, Execution, FunctionVersion, Operation, Worker

_numbers = count(1)


def ago(**parts: float) -> datetime:
    return datetime.now(UTC) - timedelta(**parts)


def make_version(function: str = "expense-approval", version: str = "1", **fields: Any) -> FunctionVersion:
    now = datetime.now(UTC)
    return _insert(FunctionVersion(function=function, version=version, **{"created_at": now, "registered_at": now, **fields}))


def make_worker(*versions: FunctionVersion, **fields: Any) -> Worker:
    """A live worker that serves these versions."""
    defaults = {"host": "host-1", "pid": next(_numbers), "parent_pid": 1, "process_started_at": "1", "threads": 8}
    times = {"started_at": ago(minutes=5), "seen_at": ago(seconds=1)}
    return _insert(Worker(boot_id=uuid4(), version_ids=[one.id for one in versions], **{**defaults, **times, **fields}))


def make_execution(version: FunctionVersion, **fields: Any) -> Execution:
    """A suspended execution without operations that started a minute ago."""
    execution_id = fields.pop("id", None) or new_execution_id()
    defaults: dict[str, Any] = {
        "function": version.function,
        "version": version.version,
        "function_version_id": version.id,
        "name": f"execution-{next(_numbers)}",
        "status": "RUNNING",
        "started_at": ago(minutes=1),
        "last_event_at": ago(seconds=30),
        "told_seq": 0,
        "event_seq": 2,  # with more than its start: it may have operations
        "invocations": 1,
    }
    return _insert(Execution(id=execution_id, **{**defaults, **fields}))


def make_operation(execution: Execution, type: str = "STEP", status: str = "STARTED", **fields: Any) -> Operation:
    number = next(_numbers)
    options = fields.pop("options", None)
    defaults: dict[str, Any] = {"started_at": ago(seconds=40), "start_event": number, "name": f"operation-{number}"}
    if status in ("SUCCEEDED", "FAILED", "TIMED_OUT", "CANCELLED"):
        defaults["ended_at"] = ago(seconds=20)
    return _insert(
        Operation(
            execution_id=execution.id,
            id=fields.pop("id", None) or f"{number:064x}",
            type=type,
            status=status,
            options=json.dumps(options) if options else None,
            **{**defaults, **fields},
        )
    )


def make_callback(execution: Execution, name: str = "manager", **fields: Any) -> Operation:
    fields = {"callback_id": new_callback_id(), "sub_type": "Callback", **fields}
    return make_operation(execution, "CALLBACK", name=name, **fields)


def make_event(execution: Execution, event_id: int, type: str, at: datetime, **fields: Any) -> Event:
    details = fields.pop("details", None)
    text = json.dumps(details) if details else None
    return _insert(Event(execution_id=execution.id, event_id=event_id, type=type, at=at, details=text, **fields))


def some_id(number: int) -> UUID:
    return UUID(int=number)


def _insert(row: Any) -> Any:
    QuerySet(type(row)).bulk_create([row])
    return row
