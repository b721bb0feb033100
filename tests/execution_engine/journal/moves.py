"""Short spellings of operation updates."""

from typing import Any

from execution_engine.core.enums import OperationAction, OperationType
from execution_engine.core.records import OperationOptions, OperationUpdate
from execution_engine.journal.lane import Entry, Lane
from execution_engine.journal.writer import Writer


def step(action: str, identifier: str = "s1", **fields: Any) -> OperationUpdate:
    return OperationUpdate(identifier, OperationType.STEP, OperationAction(action), sub_type="Step", name=identifier, **fields)


def callback(identifier: str = "c1", *, timeout: int = 0, heartbeat: int = 0) -> OperationUpdate:
    options = OperationOptions(timeout=timeout, heartbeat=heartbeat)
    return OperationUpdate(identifier, OperationType.CALLBACK, OperationAction.START, sub_type="Callback", name=identifier, options=options)


def wait(identifier: str = "w1", seconds: int = 1) -> OperationUpdate:
    options = OperationOptions(duration=seconds)
    return OperationUpdate(identifier, OperationType.WAIT, OperationAction.START, sub_type="Wait", name=identifier, options=options)


def signal(identifier: str, name: str) -> OperationUpdate:
    options = OperationOptions(signal=name)
    return OperationUpdate(identifier, OperationType.CALLBACK, OperationAction.START, sub_type="Signal", name=name, options=options)


def checkpoint(writer: Writer, lane: Lane, *updates: OperationUpdate) -> None:
    """What the sink does: apply, submit, wait."""
    entry = lane.apply(updates)
    entry.is_sync = True
    entry.needs_lock = any(update.options.signal for update in updates)
    writer.submit(lane)
    entry.wait()


def hold(writer: Writer, lane: Lane, update: OperationUpdate) -> Entry:
    entry = lane.apply((update,))
    entry.is_held = True
    writer.hold(lane, entry)
    return entry


def close(writer: Writer, lane: Lane, entry: Entry) -> None:
    lane.close(entry)
    writer.submit(lane)
    entry.wait()
