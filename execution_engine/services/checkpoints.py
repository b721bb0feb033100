"""Checkpoints of callers outside the process: the two verbs of the journal, for SDKs of any language over HTTP.

A call is one transaction under its execution's lock: what it names is read, checked, moved by the same lane and written by the same
statement as a checkpoint inside a worker. Its token stands for the claim; a call that is refused leaves no trace, and the same call
again, by its client token, gets the same answer.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any

import psycopg

from execution_engine.conf import engine_settings
from execution_engine.core import wire
from execution_engine.core.enums import ExecutionStatus, InvocationStatus, OperationAction, OperationType
from execution_engine.core.errors import IllegalTransitionError, InvalidParameterValueError, InvalidTokenError
from execution_engine.core.identifiers import ExecutionReference, parse_execution_arn
from execution_engine.core.records import ErrorObject, ExecutionRecord, OperationRecord, OperationUpdate
from execution_engine.core.transitions import calls
from execution_engine.core.transitions import execution as executions
from execution_engine.invocation import invokes, outcome
from execution_engine.journal import children, flush, outside, pages, replies, store, tokens
from execution_engine.journal.bell import process_bell
from execution_engine.journal.children import ChildStart
from execution_engine.journal.flush import Batch
from execution_engine.journal.lane import Entry, Lane
from execution_engine.journal.outside import CONNECTIONS, LockedClock
from execution_engine.journal.replies import CheckpointReply
from execution_engine.journal.store import Locked
from execution_engine.journal.tokens import Token
from execution_engine.journal.writer import take
from execution_engine.sdk.errors import CheckpointError
from execution_engine.sdk.runner import HandlerOutcome
from execution_engine.services import checks

_CLIENT_TOKEN_CHARACTERS = 64
_ENDS = {OperationAction.SUCCEED: InvocationStatus.SUCCEEDED, OperationAction.FAIL: InvocationStatus.FAILED}


@dataclass(frozen=True, slots=True)
class StatePage:
    """Operations in order of start, the execution itself first, and where the next page begins."""

    operations: tuple[OperationRecord, ...]
    marker: str | None


@dataclass(frozen=True, slots=True)
class _Call:
    """A checked call. `end` is its EXECUTION update; `targets` what each chained invoke will start, by operation."""

    reference: ExecutionReference
    given: Token
    updates: tuple[OperationUpdate, ...]
    end: OperationUpdate | None
    targets: dict[str, ChildStart | ErrorObject]
    client_token: str | None
    digest: bytes

    @property
    def ids(self) -> list[str]:
        return list({name: None for update in self.updates for name in (update.id, update.parent_id) if name is not None})

    @property
    def is_waited_for(self) -> bool:
        return self.end is not None or calls.is_waited_for(self.updates)


def checkpoint(arn: str, token: str, updates: Sequence[OperationUpdate], client_token: str | None = None) -> CheckpointReply:
    """Records the updates, all or none, and answers the next token and what changed.

    `updates` are as `core.wire.updates` reads them, at most 1,000; none: due timers fire, and what changed is told. A payload has at most
    `OUTSIDE_PAYLOAD_BYTES`. An EXECUTION update ends the execution, FAILED for a result above `MAX_PAYLOAD_BYTES`, and there is no next
    token; nor is there one while a pause is asked for, and then the caller unwinds. The same call with the same `client_token` (1 to 64
    visible characters) within 15 minutes is answered the same. Waits up to two seconds for the row.

    Raises `InvalidTokenError` for a token that is forged, used, of another execution, or whose claim is over (stopped, timed out, taken
    over); `InvalidParameterValueError`, `InvalidInputError` for a call against the rules; `ExecutionBusyError`.
    """
    call = _checked(arn, token, tuple(updates), client_token)
    try:
        reply, is_due = _transact(call)
    except (psycopg.OperationalError, psycopg.InterfaceError):
        # A connection that broke, perhaps after its COMMIT: once more, where a client token finds the answer that was lost.
        CONNECTIONS.close()
        reply, is_due = _transact(call)
    if is_due:
        process_bell().ring()
    if reply is None:
        raise InvalidTokenError("Invalid checkpoint token")
    return reply


def state(arn: str, token: str, marker: str | None = None, max_items: int | None = None) -> StatePage:
    """A page of the operations, 100 unless told, at most 1,000 and 5 MiB. Raises as `checkpoint`; the token is not consumed."""
    if max_items is not None and not 0 <= max_items <= pages.MAX_PAGE_ITEMS:
        raise InvalidParameterValueError(
            f"MaxItems is from 0 to {pages.MAX_PAGE_ITEMS}", field="MaxItems", limit=pages.MAX_PAGE_ITEMS, value=max_items
        )
    reference, given = _reference(arn), tokens.read(token)
    with CONNECTIONS.reading() as cursor:
        store.ask_locked(cursor, given.execution_id)
        found = store.fetch_locked(cursor)
        if found is None or not _is_current(found.record, reference, given) or executions.is_past_deadline(found.record, found.now):
            raise InvalidTokenError("Invalid checkpoint token")
        record, now = found.record, found.now
        after = None if marker is None else tokens.read_marker(marker, record.id, now).start_event
        page = pages.read(cursor, record.id, record.started_at, now, after=after, max_items=max_items or pages.PAGE_ITEMS)
    return StatePage(*page)


def _checked(arn: str, token: str, updates: tuple[OperationUpdate, ...], client_token: str | None) -> _Call:
    """Everything that can be said of a call without its execution."""
    reference, given = _reference(arn), tokens.read(token)
    if client_token is not None and not (wire.VISIBLE.fullmatch(client_token) and len(client_token) <= _CLIENT_TOKEN_CHARACTERS):
        raise InvalidParameterValueError("a client token has 1 to 64 visible ASCII characters", field="ClientToken")
    calls.check_shape(updates)
    for update in updates:
        _check_size(update)
    digest = replies.digest(token, updates)
    end = updates[-1] if updates and updates[-1].type is OperationType.EXECUTION else None
    asked = updates if end is None else updates[:-1]
    prepared, targets = _prepare(asked, arn)
    return _Call(reference, given, prepared, end, targets, client_token, digest)


def _reference(arn: str) -> ExecutionReference:
    settings = engine_settings()
    found = parse_execution_arn(arn, settings.REGION, settings.ACCOUNT)
    if found is None:
        raise InvalidParameterValueError(
            "DurableExecutionArn names no execution of this region and account", field="DurableExecutionArn", value=arn[:200]
        )
    return found


def _check_size(update: OperationUpdate) -> None:
    """A result is not measured here: too large, it ends the execution FAILED, as it does in an answer. AWS's JavaScript SDK never answers
    once the checkpoint of its result is refused, and would be called again and again."""
    checks.check_error(update.error)
    payload = update.payload
    if payload is None:
        return
    checks.check_text(payload, f"the payload of {update.id}")
    limit = engine_settings().OUTSIDE_PAYLOAD_BYTES
    if update.type is not OperationType.EXECUTION and len(payload) * 4 > limit and (size := len(payload.encode())) > limit:
        raise InvalidParameterValueError(
            f"the payload of {update.type} {update.id} has {size} bytes; the limit is {limit} (DURABLE_EXECUTION['OUTSIDE_PAYLOAD_BYTES'])",
            operation_id=update.id,
            limit=limit,
            value=size,
        )


def _prepare(updates: tuple[OperationUpdate, ...], arn: str) -> tuple[tuple[OperationUpdate, ...], dict[str, ChildStart | ErrorObject]]:
    """Looks up what is to be invoked before the lock is taken: functions change seldom, and an unused child costs nothing."""
    targets: dict[str, ChildStart | ErrorObject] = {}
    found = []
    for update in updates:
        if update.type is OperationType.CHAINED_INVOKE:
            try:
                update, targets[update.id] = invokes.prepare(update, engine_settings(), CONNECTIONS, started_by=arn)
            except CheckpointError as error:
                raise InvalidParameterValueError(str(error), operation_id=update.id) from error
        found.append(update)
    return tuple(found), targets


def _transact(call: _Call) -> tuple[CheckpointReply | None, bool]:
    """The answer, None when the claim is over, and whether somebody is to be rung."""
    with CONNECTIONS.transaction() as connection:
        found = outside.look(connection, call.given.execution_id, call.ids, call.given.sent_seq, (call.client_token, call.digest))
        if found.reply is not None:
            return found.reply, False
        locked = found.locked
        if locked is None or not _is_current(locked.record, call.reference, call.given):
            return None, False
        if executions.is_past_deadline(locked.record, locked.now):
            ended = executions.end(locked.record, ExecutionStatus.TIMED_OUT, locked.now, request_id=locked.invocation_id)
            store.write_transition(connection.cursor(), locked, ended)
            return None, True
        written, reply, is_due = _write(connection, call, locked, found.operations)
    return (reply, is_due) if written.rowcount else (None, False)


def _is_current(record: ExecutionRecord, reference: ExecutionReference, given: Token) -> bool:
    """The fence, under the lock. A status that is not running means that the claim is gone, too; to ask costs nothing."""
    return (
        record.id == reference.id
        and (record.function, record.name) == (reference.function, reference.name)
        and record.claim_id == given.claim_id
        and record.checkpoint_seq == given.checkpoint_seq
        and record.status in (ExecutionStatus.RUNNING, ExecutionStatus.PAUSING)
    )


def _write(
    connection: psycopg.Connection[Any], call: _Call, locked: Locked, operations: dict[str, OperationRecord]
) -> tuple[psycopg.Cursor[Any], CheckpointReply, bool]:
    """Sends all that is written and does not wait for it: with the COMMIT it is known whether the statement answered a row, and so accepted
    the call, which then is answered so; last, whether somebody is to be rung."""
    cursor, record = connection.cursor(), locked.record
    calls.check_place(call.updates, operations)
    lane = _lane(call.given, locked, operations)
    is_cut = record.status is ExecutionStatus.PAUSING and call.end is None and not _begins_body(call.updates)
    _queue(cursor, lane, call, locked, is_cut=is_cut)
    batch = take(lane)
    assert batch is not None
    following = _following(cursor, call, record, record.wake_seq + batch.woken, is_last=is_cut or call.end is not None)
    written = flush.ask(connection, [batch])
    if batch.children and written.fetchone() is not None:
        for child in batch.children:
            children.start(cursor, record.id, child)
    reply = _reply(call, locked, batch, operations, following)
    if call.client_token is not None:
        place = (record.id, call.given.checkpoint_seq + 1)
        replies.keep(cursor, place, call.client_token, call.digest, reply, locked.now)
    return written, reply, bool(batch.children) or call.end is not None


def _lane(given: Token, locked: Locked, operations: dict[str, OperationRecord]) -> Lane:
    """The execution as this call knows it, under the token's claim and sequence, which the statement that writes compares once more. The
    lane of the worker that holds the claim writes nothing meanwhile."""
    record, clock = locked.record, LockedClock(locked.now)
    return Lane(record.id, given.claim_id, clock, given.checkpoint_seq, record.wake_seq, record.told_seq, operations=dict(operations))


def _queue(cursor: store.Cursor, lane: Lane, call: _Call, locked: Locked, *, is_cut: bool) -> None:
    """What the call asks for, in its order. Without updates: whatever time has decided."""
    try:
        for group in _groups(call.updates):
            entry = lane.apply(group)
            if group[0].id in call.targets:
                invokes.attach(lane, entry, group[0].id, call.targets[group[0].id])
    except IllegalTransitionError as error:
        raise InvalidParameterValueError(error.message, **error.facts) from error
    if not call.updates and call.end is None:
        lane.operations.update(outside.due_operations(cursor, lane.execution_id, locked.now))
        if lane.fire_due(locked.now) is None:
            lane.queue.append(Entry([], locked.now))
    if is_cut:
        # Without a next token the invocation cannot go on: it is owed another one, which a wake-up that nobody is told of says.
        lane.queue.append(Entry([], locked.now, woken=1))
    if call.end is not None:
        answer = HandlerOutcome(_ENDS[call.end.action], call.end.payload, call.end.error)
        assert locked.invocation_id is not None
        lane.close(outcome.settle(locked.record, lane, answer, locked.invocation_id))


def _groups(updates: tuple[OperationUpdate, ...]) -> Iterator[tuple[OperationUpdate, ...]]:
    """A chained invoke goes alone, as its child comes with it."""
    together: list[OperationUpdate] = []
    for update in updates:
        if update.type is not OperationType.CHAINED_INVOKE:
            together.append(update)
            continue
        if together:
            yield tuple(together)
            together = []
        yield (update,)
    if together:
        yield tuple(together)


def _begins_body(updates: tuple[OperationUpdate, ...]) -> bool:
    return bool(updates) and calls.begins_body(updates[-1])


def _following(cursor: store.Cursor, call: _Call, record: ExecutionRecord, wake_seq: int, *, is_last: bool) -> Token | None:
    """The next token. What the answer tells counts as told when a thread waits for it and no branch beside it may have looked before."""
    given = call.given
    if is_last:
        return None
    sent, answered = given.sent_seq, given.answered_seq
    if call.is_waited_for:
        sent = wake_seq
        if wake_seq > answered and not outside.has_open_branches(cursor, record.id):
            outside.tell(cursor, record.id, wake_seq)
            answered = wake_seq
    return Token(record.id, given.claim_id, given.checkpoint_seq + 1, sent, answered)


def _reply(call: _Call, locked: Locked, batch: Batch, operations: dict[str, OperationRecord], following: Token | None) -> CheckpointReply:
    """What moved, and what changed from outside since the caller was last sent such."""
    base = locked.record.event_seq
    changed: dict[str, OperationRecord] = {}
    if call.is_waited_for:
        changed = {one.id: one for one in operations.values() if one.wake_seq is not None and one.wake_seq > call.given.sent_seq}
    for move in chain.from_iterable(entry.moves for entry in batch.entries):
        record = move.record
        start = batch.start_events.get(record.id)
        changed[record.id] = record if start is None else replace(record, start_event=base + start)
    records = sorted(changed.values(), key=lambda record: record.start_event)
    if following is None:
        return CheckpointReply(None, tuple(records))
    page, marker = pages.cut(locked.record.id, records, locked.now)
    return CheckpointReply(tokens.issue(following), page, marker)
