"""Start many executions at once, each with its own answer."""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection, transaction

from execution_engine.core.errors import CommandError
from execution_engine.core.identifiers import new_execution_id
from execution_engine.core.trace import NO_TRACE, Trace
from execution_engine.journal.bell import ring_after_commit
from execution_engine.services import checks
from execution_engine.services.executions import StartedExecution, StartOptions, existing, insert, started_execution

Answer = StartedExecution | CommandError


@dataclass(frozen=True, slots=True)
class Start:
    """One of many: `input_text` is JSON text or None, the rest as `start_execution` takes it."""

    function: str
    input_text: str | None = None
    version: str | None = None
    name: str | None = None
    attributes: Mapping[str, Any] | None = None
    concurrency_key: str | None = None
    priority: int | None = None

    @property
    def shared(self) -> tuple[Any, ...]:
        """What one statement can insert for many."""
        attributes = json.dumps(self.attributes or {}, sort_keys=True)
        return (self.function, self.version, attributes, self.concurrency_key, self.priority)


def start_each(starts: Sequence[Start], *, started_by: str = "", trace: Trace = NO_TRACE) -> list[Answer]:
    """Starts what can be started, in one transaction, and answers in order: the execution, or why there is none.

    Names are idempotent, also among each other, as for `start_execution`. Those that share all but name and input share a
    statement. Rings the workers after the commit.
    """
    answers: dict[int, Answer] = {}
    groups: dict[tuple[Any, ...], list[int]] = defaultdict(list)
    for place, start in enumerate(starts):
        try:
            _check(start)
        except CommandError as error:
            answers[place] = error
        else:
            groups[start.shared].append(place)
    with transaction.atomic():
        for places in groups.values():
            chosen = [starts[place] for place in places]
            first = chosen[0]
            options = StartOptions(
                first.attributes, started_by=started_by, trace=trace, concurrency_key=first.concurrency_key, priority=first.priority
            )
            answers |= dict(zip(places, _start_alike(chosen, options), strict=True))
        ring_after_commit()
    return [answers[place] for place in range(len(starts))]


def _check(start: Start) -> None:
    checks.check_payload(start.input_text, "input")
    checks.check_name(start.name)
    checks.check_attributes(start.attributes)
    checks.check_concurrency_key(start.concurrency_key)
    checks.check_priority(start.priority)


def _start_alike(starts: Sequence[Start], options: StartOptions) -> list[Answer]:
    """Starts that differ in name and input only."""
    function, version = starts[0].function, starts[0].version
    ids = [new_execution_id() for _ in starts]
    names = [start.name or str(one) for one, start in zip(ids, starts, strict=True)]
    with connection.cursor() as cursor:
        try:
            started = insert(cursor, function, version, ids, names, [start.input_text for start in starts], options)
        except CommandError as error:  # nobody has registered this function or version
            return [error] * len(starts)
        answers: list[Answer] = []
        for execution_id, name, start in zip(ids, names, starts, strict=True):
            if execution_id in started:
                answers.append(started_execution(function, execution_id, name, *started[execution_id]))
            else:
                answers.append(_already(cursor, function, name, start.input_text))
    return answers


def _already(cursor: Any, function: str, name: str, input_text: str | None) -> Answer:
    try:
        return existing(cursor, function, name, input_text)
    except CommandError as error:
        return error
