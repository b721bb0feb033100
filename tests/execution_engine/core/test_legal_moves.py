"""Every operation type with every recorded status and action: what is legal ends where it should, everything else is refused.

The table below is the whole law; a move that is not in it must raise and record nothing.
"""

from itertools import permutations, product

import pytest

from execution_engine.core.enums import EventType, OperationAction, OperationStatus, OperationType
from execution_engine.core.errors import IllegalTransitionError
from execution_engine.core.transitions import apply_update, fire_timer
from tests.execution_engine.core.builders import NOW, record, update

S, A, T, E = OperationStatus, OperationAction, OperationType, EventType

LEGAL = {
    (T.STEP, None, A.START): (S.STARTED, E.STEP_STARTED),
    (T.STEP, S.READY, A.START): (S.STARTED, E.STEP_STARTED),
    (T.STEP, S.STARTED, A.SUCCEED): (S.SUCCEEDED, E.STEP_SUCCEEDED),
    (T.STEP, S.READY, A.SUCCEED): (S.SUCCEEDED, E.STEP_SUCCEEDED),
    (T.STEP, S.STARTED, A.FAIL): (S.FAILED, E.STEP_FAILED),
    (T.STEP, S.READY, A.FAIL): (S.FAILED, E.STEP_FAILED),
    (T.STEP, S.STARTED, A.RETRY): (S.PENDING, E.STEP_SUCCEEDED),
    (T.STEP, S.READY, A.RETRY): (S.PENDING, E.STEP_SUCCEEDED),
    (T.WAIT, None, A.START): (S.STARTED, E.WAIT_STARTED),
    (T.WAIT, S.STARTED, A.CANCEL): (S.CANCELLED, E.WAIT_CANCELLED),
    (T.CALLBACK, None, A.START): (S.STARTED, E.CALLBACK_STARTED),
    (T.CONTEXT, None, A.START): (S.STARTED, E.CONTEXT_STARTED),
    (T.CONTEXT, S.STARTED, A.SUCCEED): (S.SUCCEEDED, E.CONTEXT_SUCCEEDED),
    (T.CONTEXT, S.STARTED, A.FAIL): (S.FAILED, E.CONTEXT_FAILED),
    (T.CHAINED_INVOKE, None, A.START): (S.STARTED, E.CHAINED_INVOKE_STARTED),
}
TYPES = [kind for kind in T if kind is not T.EXECUTION]
EVERY_MOVE = list(product(TYPES, [None, *S], A))
TIMERS = {
    (T.STEP, S.PENDING): S.READY,
    (T.WAIT, S.STARTED): S.SUCCEEDED,
    (T.CALLBACK, S.STARTED): S.TIMED_OUT,
}


@pytest.mark.parametrize(("kind", "status", "action"), LEGAL, ids=str)
def test_a_legal_move_ends_where_the_table_says(kind: T, status: S | None, action: A) -> None:
    after_status, event = LEGAL[kind, status, action]
    found = None if status is None else record(kind, status)
    transition = apply_update(found, update(kind, action), NOW)
    assert transition.record.status is after_status
    assert [line.type for line in transition.events] == [event]
    assert transition.record.is_terminal == (transition.record.ended_at is not None)


@pytest.mark.parametrize(("kind", "status", "action"), [move for move in EVERY_MOVE if move not in LEGAL], ids=str)
def test_every_other_move_is_refused(kind: T, status: S | None, action: A) -> None:
    found = None if status is None else record(kind, status)
    with pytest.raises(IllegalTransitionError):
        apply_update(found, update(kind, action), NOW)


@pytest.mark.parametrize(("recorded", "asked"), list(permutations(TYPES, 2)), ids=str)
def test_an_operation_never_changes_its_type(recorded: T, asked: T) -> None:
    with pytest.raises(IllegalTransitionError, match="cannot become"):
        apply_update(record(recorded, S.STARTED), update(asked, A.START), NOW)


def test_the_execution_is_no_operation_of_its_own_checkpoint() -> None:
    with pytest.raises(IllegalTransitionError):
        apply_update(None, update(T.EXECUTION, A.SUCCEED), NOW)


@pytest.mark.parametrize(("kind", "status"), list(product(TYPES, S)), ids=str)
def test_time_moves_only_what_has_a_timer(kind: T, status: S) -> None:
    if (kind, status) in TIMERS:
        transition = fire_timer(record(kind, status, due_at=NOW), NOW)
        assert transition is not None
        assert transition.record.status is TIMERS[kind, status]
        assert transition.record.due_at is None
    elif status.is_terminal:
        assert fire_timer(record(kind, status, due_at=NOW), NOW) is None
    else:
        assert fire_timer(record(kind, status), NOW) is None
