"""Broken: a new invocation loads the operations as they were a moment ago, without the last one that ended."""

from typing import Any

from execution_engine.journal import reader

load = reader.load


def load_stale(*arguments: Any, **keywords: Any) -> Any:
    found = load(*arguments, **keywords)
    for loaded in found.values():
        ended = [record for record in loaded.operations.values() if record.is_terminal]
        if ended:
            del loaded.operations[ended[-1].id]
    return found


reader.load = load_stale
