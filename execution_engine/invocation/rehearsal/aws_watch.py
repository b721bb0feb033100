"""The rehearsal of a function that AWS's SDK runs: it tells ids only, so what is missing is judged by parents, not by numbers."""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta

from execution_engine.core.enums import ExecutionStatus, OperationAction, OperationStatus, OperationSubType, OperationType
from execution_engine.core.identifiers import operation_id
from execution_engine.core.records import OperationRecord, OperationUpdate
from execution_engine.invocation.rehearsal.findings import Change, Divergence, Place
from execution_engine.invocation.rehearsal.history import History
from execution_engine.invocation.rehearsal.watch import Stop, Watch, author_line, caller
from execution_engine.sdk.witness import Asked

_BATCHES = (OperationSubType.MAP, OperationSubType.PARALLEL)
_FAR = timedelta(days=366)
SPARE_NUMBERS = 8
"""Numbers tried beyond what a context has recorded."""
_AT = re.compile(r"id='(?P<id>[0-9a-f]+)'")
_SIDES = re.compile(r"(?P<field>type|subtype|name) checkpoint=(?:'[^']*'|None) current=(?:'(?P<asked>[^']*)'|None)")


class AwsWatch(Watch):
    """Hears of reads and writes of AWS's state, from any of its threads."""

    def __init__(self, history: History, begins_anew: frozenset[str] = frozenset()) -> None:
        super().__init__(history, begins_anew)
        self._siblings = Counter(record.parent_id for record in history.operations)
        self._numbers: dict[str | None, dict[str, int]] = {}

    def reads(self, id_: str) -> None:
        found = self.records.get(id_)
        if found is None or id_ in self.asked:
            return
        self._note(id_, found.type, found.sub_type or "", found.name, found.parent_id)
        if found.type is OperationType.STEP and not found.is_terminal:
            self.reruns.append(found)

    def writes(self, update: OperationUpdate) -> None:
        """Raises `Stop`, but for the end of the execution itself."""
        if update.type is OperationType.EXECUTION:
            return
        if update.action is OperationAction.START:
            self._note(update.id, update.type, update.sub_type or "", update.name, update.parent_id)
            self.stop_at(update.id)
        self.ended[update.id] = f"{update.error.type}: {update.error.message}" if update.error else ""
        raise Stop("the operation would end")

    def _note(self, id_: str, type_: OperationType, sub_type: str, name: str | None, parent_id: str | None) -> None:
        self.where[id_] = author_line(caller())
        self.asked[id_] = Asked(id_, type_, sub_type, name, parent_id, parent_id, self._number(parent_id, id_))

    def _number(self, parent_id: str | None, id_: str) -> int:
        """Its place in its context, as far as ids tell: operations of virtual contexts have none of their own."""
        first = 0 if parent_id and self.records[parent_id].sub_type in _BATCHES else 1
        known = self._numbers.setdefault(parent_id, {})
        while id_ not in known and len(known) < self._siblings[parent_id] + SPARE_NUMBERS:
            known[operation_id(parent_id, first + len(known))] = first + len(known)
        return known.get(id_, first)


def shown(history: History) -> list[OperationRecord]:
    """What the SDK is shown: steps under way wait for their next attempt and timers are far off, so that it runs and fires nothing."""
    return [_waiting(record, history.latest_at + _FAR) for record in history.operations]


def _waiting(record: OperationRecord, later: datetime) -> OperationRecord:
    if record.is_terminal:
        return record
    if record.type is OperationType.STEP:
        return replace(record, status=OperationStatus.PENDING, due_at=later)
    return replace(record, due_at=later) if record.type is OperationType.WAIT else record


def differences(history: History, watch: Watch, message: str) -> tuple[Divergence, ...]:
    """`message` is what the SDK said of a divergence, "" when it found none."""
    return (*_said(watch, message), *_inserted(history, watch), *_removed(watch))


def _said(watch: Watch, message: str) -> Iterator[Divergence]:
    if not message:
        return
    at = _AT.search(message)
    record = watch.records.get(at["id"]) if at else None
    if record is None:
        yield Divergence(Change.CHANGED, None, None, "", f": {message}")
        return
    asked = {found["field"]: found["asked"] for found in _SIDES.finditer(message)}
    place = _place(watch, record)
    type_ = OperationType(asked["type"]) if asked.get("type") else place.type
    now = replace(place, type=type_, sub_type=asked.get("subtype", place.sub_type), name=asked.get("name", place.name), target=None)
    detail = "" if asked else f": {message}"
    yield Divergence(Change.CHANGED, place, now, watch.where.get(record.id, ""), detail)


def _inserted(history: History, watch: Watch) -> Iterator[Divergence]:
    for id_ in watch.edges:
        if id_ in watch.begins_anew:
            continue
        asked = watch.asked[id_]
        parent = watch.records.get(asked.parent_id or "")
        behind = None if parent and parent.sub_type in _BATCHES else next(_unread(watch, asked.parent_id), None)
        has_succeeded = history.status is ExecutionStatus.SUCCEEDED
        if behind is not None or has_succeeded:
            place = Place(id_, asked.type, asked.sub_type, asked.name, asked.number, parent.name if parent else None)
            detail = ", although the execution has succeeded without it" if has_succeeded else ""
            yield Divergence(Change.INSERTED, None if behind is None else _place(watch, behind), place, watch.where[id_], detail)


def _removed(watch: Watch) -> Iterator[Divergence]:
    for prefix, error in watch.ended.items():
        parent = watch.records.get(prefix or "")
        if parent is not None and parent.sub_type in _BATCHES:
            continue
        detail = f", it raises {error}" if error else ""
        for record in _unread(watch, prefix):
            yield Divergence(Change.REMOVED, _place(watch, record), None, watch.where.get(prefix or "", ""), detail)


def _unread(watch: Watch, parent_id: str | None) -> Iterator[OperationRecord]:
    return (record for record in watch.records.values() if record.parent_id == parent_id and record.id not in watch.asked)


def _place(watch: Watch, record: OperationRecord) -> Place:
    siblings = [one.id for one in watch.records.values() if one.parent_id == record.parent_id]
    parent = watch.records.get(record.parent_id or "")
    number = siblings.index(record.id) + (0 if parent and parent.sub_type in _BATCHES else 1)
    return Place(record.id, record.type, record.sub_type, record.name, number, parent.name if parent else None, record.options.function)
