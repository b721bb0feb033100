"""What every history obeys, whatever a requirement mentions."""

import re
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

Event = dict[str, Any]
_TERMINAL = re.compile(r"Execution(Succeeded|Failed|TimedOut|Stopped)")


def broken_laws(events: list[Event], *, has_ended: bool) -> Iterator[str]:
    yield from _shapes(events)
    yield from _operations(events)
    yield from _invocations(events)
    if has_ended:
        kinds = [event["EventType"] for event in events]
        if sum(_TERMINAL.fullmatch(kind) is not None for kind in kinds) != 1 or not _TERMINAL.fullmatch(kinds[-1]):
            yield "not exactly one terminal event, at the end"
        elif len(kinds) < 2 or kinds[-2] != "InvocationCompleted":
            yield "no InvocationCompleted before the terminal event"


def _shapes(events: list[Event]) -> Iterator[str]:
    if [event.get("EventId") for event in events] != list(range(1, len(events) + 1)):
        yield "event ids are not 1, 2, 3 and so on"
    if not events or events[0]["EventType"] != "ExecutionStarted":
        yield "the first event is not ExecutionStarted"
    for event, follower in pairwise(events):
        if follower["EventTimestamp"] < event["EventTimestamp"]:
            yield f"event {follower['EventId']} happened before the one in front of it"
    for event in events:
        if f"{event['EventType']}Details" not in event:
            yield f"event {event['EventId']} has no details"
        yield from (
            f"event {event['EventId']}: {key} is empty, not absent"
            for key in ("Id", "Name", "ParentId", "SubType")
            if key in event and event[key] in (None, "")
        )


def _operations(events: list[Event]) -> Iterator[str]:
    """One start and one end for each, attempts counted one by one, nothing under a context that has ended."""
    started: Counter[str] = Counter()
    attempts: Counter[str] = Counter()
    ended: dict[str, int] = {}
    for event in events:
        kind, id_, number = event["EventType"], event.get("Id"), event["EventId"]
        if id_ is None or kind.startswith(("Execution", "Invocation")):
            continue
        parent = event.get("ParentId")
        if id_ in ended:
            yield f"event {number} {kind}: its operation ended at event {ended[id_]}"
        if parent in ended and not kind.startswith("Callback"):
            yield f"event {number} {kind}: its context ended at event {ended[parent]}"
        if parent is not None and parent not in started:
            yield f"event {number} {kind}: its context has not started"
        if kind.endswith("Started"):
            started[id_] += 1
            if started[id_] > 1 and not kind.startswith("Step"):
                yield f"event {number} {kind}: started twice"
            continue
        if id_ not in started:
            yield f"event {number} {kind}: never started"
        retry = event[f"{kind}Details"].get("RetryDetails") or {}
        if kind.startswith("Step"):
            attempts[id_] += 1
            if retry.get("CurrentAttempt") != attempts[id_]:
                yield f"event {number} {kind}: attempt {retry.get('CurrentAttempt')}, counted {attempts[id_]}"
        if "NextAttemptDelaySeconds" not in retry:
            ended[id_] = number


def _invocations(events: list[Event]) -> Iterator[str]:
    """One after the other."""
    latest = ""
    for event in events:
        if event["EventType"] == "InvocationCompleted":
            details = event["InvocationCompletedDetails"]
            if details["StartTimestamp"] < latest:
                yield f"event {event['EventId']}: this invocation began before the one in front of it had ended"
            latest = details["EndTimestamp"]
