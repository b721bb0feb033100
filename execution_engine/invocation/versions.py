"""Which version of a function a start means."""

from execution_engine.core.errors import FunctionNotFoundError
from execution_engine.journal import functions
from execution_engine.journal.functions import VersionRow
from execution_engine.journal.store import Cursor
from execution_engine.sdk.registry import find_function


def version_to_start(cursor: Cursor, function: str, version: str | None) -> VersionRow:
    """The version asked for, or else the newest. Raises `FunctionNotFoundError`.

    A process that knows the function from its own code registers it here, so that a start needs no worker to have run before.
    """
    try:
        return functions.find_version(cursor, function, version)
    except FunctionNotFoundError:
        known = find_function(function, version)
        if known is None:
            raise
        functions.register(cursor, known)
        return functions.find_version(cursor, function, known.version)
