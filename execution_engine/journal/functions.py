"""Rows of functions and their versions: registered by workers, looked up at starts."""

from dataclasses import dataclass
from typing import Protocol

from execution_engine.core.errors import FunctionNotFoundError
from execution_engine.journal.statements import statement
from execution_engine.journal.store import Cursor


class Registration(Protocol):
    """What a function's row shows of its registration in code; times in seconds, retention in days."""

    @property
    def name(self) -> str: ...
    @property
    def version(self) -> str: ...
    @property
    def execution_timeout(self) -> int | None: ...
    @property
    def invocation_timeout(self) -> int | None: ...
    @property
    def retention_days(self) -> int | None: ...
    @property
    def memory_mb(self) -> int: ...
    @property
    def is_durable(self) -> bool: ...
    @property
    def fingerprint(self) -> str: ...
    @property
    def source(self) -> str: ...
    @property
    def description(self) -> str: ...
    @property
    def input_schema(self) -> str: ...


@dataclass(frozen=True, slots=True)
class VersionRow:
    id: int
    version: str
    execution_timeout: int | None
    retention_days: int | None
    is_durable: bool


def register(cursor: Cursor, function: Registration) -> int:
    """Writes the function and its version; answers the version's id."""
    cursor.execute(statement("register_function"), {"function": function.name})
    cursor.execute(
        statement("register_version"),
        {
            "function": function.name,
            "version": function.version,
            "execution_timeout": function.execution_timeout,
            "invocation_timeout": function.invocation_timeout,
            "retention_days": function.retention_days,
            "memory_mb": function.memory_mb,
            "is_durable": function.is_durable,
            "fingerprint": function.fingerprint,
            "source": function.source,
            "description": function.description,
            "input_schema": function.input_schema,
        },
    )
    version_id: int = cursor.fetchone()[0]
    return version_id


def find_version(cursor: Cursor, function: str, version: str | None) -> VersionRow:
    """The version asked for, the newest when none is. Raises `FunctionNotFoundError`."""
    cursor.execute(statement("find_version"), {"function": function, "version": version})
    row = cursor.fetchone()
    if row is None:
        asked = function if version is None else f"{function} version {version}"
        raise FunctionNotFoundError(f"no worker has registered {asked}", function=function, version=version)
    return VersionRow(*row)
