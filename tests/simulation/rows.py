"""The execution's row with the columns that only families and limits need."""

from dataclasses import dataclass

from execution_engine.core.records import ExecutionRecord


@dataclass(frozen=True, slots=True)
class Row(ExecutionRecord):
    """`parent` and `parent_operation` wait for this one's end. `timeout` in seconds, 0 for none. `key` and `line` as limits have them."""

    parent: int | None = None
    parent_operation: str = ""
    owes_parent: bool = False
    owes_child: bool = False
    redrive_count: int = 0
    timeout: int = 0
    key: str | None = None
    line: str | None = None
    is_new: bool = True
