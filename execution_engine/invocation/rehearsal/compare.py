"""Where what the code asks for differs from what is recorded: changed, removed, inserted.

An operation that the code has not asked for is only missing when the body it stood in has come to its end without it; behind an
open operation the code may still ask for it.
"""

from collections.abc import Iterator, Mapping

from execution_engine.core.enums import ExecutionStatus
from execution_engine.core.identifiers import operation_id
from execution_engine.core.records import OperationRecord
from execution_engine.core.serdes import EXTENDED_TYPES_SERDES, SerDesContext
from execution_engine.invocation.rehearsal.findings import Change, Divergence, Place
from execution_engine.invocation.rehearsal.history import History
from execution_engine.invocation.rehearsal.watch import Watch
from execution_engine.sdk.batch import BatchRecord, BatchResult
from execution_engine.sdk.codec import PayloadCodec
from execution_engine.sdk.completion import CompletionReason
from execution_engine.sdk.witness import Asked

GAP = 4
"""Numbers without a record that may lie between two recorded operations: virtual contexts without operations, calls that were refused."""
VIRTUAL_DEPTH = 4


def differences(history: History, watch: Watch, codec: PayloadCodec | None = None) -> tuple[Divergence, ...]:
    """All that were met, in the order of the calls; a changed operation ends the replay, so most often it is the only one."""
    found = [*_changed(watch), *_inserted(history, watch), *_removed(watch), *_retargeted(watch), *_resized(history, watch, codec)]
    return tuple(found)


def nesting(watch: Watch, message: str) -> Divergence | None:
    """A divergence that the SDK found by more than the operation's identity: a context real once and virtual now, or the reverse."""
    if not watch.asked:
        return None
    asked = next(reversed(watch.asked.values()))
    recorded = _at(watch.records, asked.id)
    place = None if recorded is None else _recorded(watch, recorded, asked.prefix, asked.number)
    said = message.partition(f"{asked.id}: ")[2] or message
    return Divergence(Change.CHANGED, place, place_asked(watch, asked), watch.where[asked.id], f": {said}")


def _changed(watch: Watch) -> Iterator[Divergence]:
    for record, asked in watch.changed:
        place = _recorded(watch, record, asked.prefix, asked.number)
        yield Divergence(Change.CHANGED, place, place_asked(watch, asked), watch.where[asked.id])


def _inserted(history: History, watch: Watch) -> Iterator[Divergence]:
    for id_ in watch.edges:
        if id_ in watch.begins_anew:
            continue
        asked = watch.asked[id_]
        parent = watch.records.get(asked.parent_id or "")
        detail = ""
        behind = None
        if asked.prefix not in watch.totals:  # branches of a batch need not be recorded in order
            behind = next((_recorded(watch, *found) for found in _from(watch, asked.prefix, asked.number)), None)
        if parent is not None and parent.is_terminal:
            detail = f", although {_recorded(watch, parent, None, None)} around it has ended"
        elif history.status is ExecutionStatus.SUCCEEDED:
            detail = ", although the execution has succeeded without it"
        if detail or behind is not None:
            yield Divergence(Change.INSERTED, behind, place_asked(watch, asked), watch.where[id_], detail)


def _removed(watch: Watch) -> Iterator[Divergence]:
    last: dict[str | None, Asked] = {}
    for asked in watch.asked.values():
        if asked.prefix not in watch.totals:
            last[asked.prefix] = asked
    for prefix, error in watch.ended.items():
        if prefix not in watch.totals:
            before = last.get(prefix)
            where = watch.where[before.id] if before else watch.where.get(prefix or "", "")
            detail = f", it raises {error}" if error else ""
            yield from _missing(watch, prefix, before.number + 1 if before else 1, watch.raised_at or where, detail)
    for batch_id, total in watch.totals.items():
        record = watch.records.get(batch_id)
        if record is not None and not record.is_terminal:
            yield from _missing(watch, batch_id, total, watch.where[batch_id])


def _missing(watch: Watch, prefix: str | None, first: int, where: str, detail: str = "") -> Iterator[Divergence]:
    for record, under, number in _from(watch, prefix, first):
        yield Divergence(Change.REMOVED, _recorded(watch, record, under, number), None, f"after {where}" if where else "", detail)


def _retargeted(watch: Watch) -> Iterator[Divergence]:
    for id_, function in watch.targets.items():
        record, asked = watch.records.get(id_), watch.asked[id_]
        if record is not None and record.options.function not in (None, function):
            place = _recorded(watch, record, asked.prefix, asked.number)
            yield Divergence(Change.TARGET, place, place_asked(watch, asked, function), watch.where[id_])


def _resized(history: History, watch: Watch, codec: PayloadCodec | None) -> Iterator[Divergence]:
    """A batch that is over is answered from its record, so nobody else would notice."""
    for batch_id, total in watch.totals.items():
        record, asked = watch.records.get(batch_id), watch.asked[batch_id]
        if record is None or not record.is_terminal:
            continue
        recorded = _branches(history, record, codec)
        if recorded is not None and recorded != total:
            place = _recorded(watch, record, asked.prefix, asked.number)
            detail = f": it had {recorded} branches, now it would have {total}"
            yield Divergence(Change.ITEMS, place, place_asked(watch, asked), watch.where[batch_id], detail)


def _branches(history: History, record: OperationRecord, codec: PayloadCodec | None) -> int | None:
    """How many branches a batch had that ran all of them; None when that is not known."""
    if record.replay_children:
        summary = BatchRecord.read(record.payload)
        return summary.started_total if summary and summary.reason is CompletionReason.ALL_COMPLETED else None
    try:
        text = record.payload if codec is None or record.payload is None else codec.decode(record.payload)
        result = EXTENDED_TYPES_SERDES.deserialize(text or "", SerDesContext(record.id, history.arn))
    except Exception:  # a serdes of the author's own wrote it
        return None
    is_whole = isinstance(result, BatchResult) and result.completion_reason is CompletionReason.ALL_COMPLETED
    return len(result.all) if is_whole else None


def _from(watch: Watch, prefix: str | None, first: int) -> Iterator[tuple[OperationRecord, str | None, int]]:
    """What is recorded in a context from a number on; a virtual context shows by its own first operation."""
    number, misses = first, 0
    while misses < GAP:
        found = _at(watch.records, operation_id(prefix, number))
        misses = misses + 1 if found is None else 0
        if found is not None:
            yield found, prefix, number
        number += 1


def _at(records: Mapping[str, OperationRecord], id_: str) -> OperationRecord | None:
    for _ in range(VIRTUAL_DEPTH):
        found = records.get(id_)
        if found is not None:
            return found
        id_ = operation_id(id_, 1)
    return None


def _recorded(watch: Watch, record: OperationRecord, prefix: str | None, number: int | None) -> Place:
    context = _context(watch, prefix or record.parent_id)
    return Place(record.id, record.type, record.sub_type, record.name, number, context, record.options.function)


def place_asked(watch: Watch, asked: Asked, target: str | None = None) -> Place:
    context = _context(watch, asked.prefix)
    return Place(asked.id, asked.type, asked.sub_type, asked.name, asked.number, context, target or watch.targets.get(asked.id))


def _context(watch: Watch, prefix: str | None) -> str | None:
    if prefix is None:
        return None
    record, asked = watch.records.get(prefix), watch.asked.get(prefix)
    return (record.name if record else asked.name if asked else None) or prefix[:8]
