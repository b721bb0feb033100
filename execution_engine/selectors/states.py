"""The derivation of `explain.py` in SQL: to filter lists by derived state and to count."""

from collections.abc import Collection

from django.db.models import Case, Exists, OuterRef, Q, QuerySet, Value, When
from django.db.models.functions import Now

from execution_engine.core.enums import TERMINAL_EXECUTION_STATUSES, ExecutionStatus, OperationStatus, OperationSubType, OperationType
from execution_engine.models import Execution, Operation
from execution_engine.selectors.explain import StateCode

OPEN = Q(status__in=[OperationStatus.STARTED, OperationStatus.PENDING, OperationStatus.READY])


def state_case(served: Collection[int]) -> Case:
    """An expression over executions whose value is the `StateCode`; conditions in the order of `derived_state`."""
    is_due, is_served = Q(due_at__lte=Now()), Q(function_version_id__in=list(served))
    condition = Q(sub_type=OperationSubType.WAIT_FOR_CONDITION)
    signal = Q(sub_type=OperationSubType.SIGNAL)
    pending_step = Q(type=OperationType.STEP, status=OperationStatus.PENDING)
    callback = Q(type=OperationType.CALLBACK) & OPEN
    rules: list[tuple[Q | Exists, StateCode]] = [
        *[(Q(status=status), StateCode(status.value.lower())) for status in sorted(TERMINAL_EXECUTION_STATUSES)],
        (~Q(status=ExecutionStatus.RUNNING), StateCode.PAUSED),
        (Q(claim_id__isnull=False) & (is_served | ~is_due), StateCode.RUNNING),
        (is_due & ~is_served, StateCode.STRANDED),
        (is_due, StateCode.QUEUED),
        (Q(failed_invocations__gt=0), StateCode.RETRYING),
        (_has(pending_step & _is_not(condition)), StateCode.RETRYING),
        (_has(callback & _is_not(signal)), StateCode.WAITING_FOR_CALLBACK),
        (_has(callback & signal), StateCode.WAITING_FOR_SIGNAL),
        (_has(Q(type=OperationType.CHAINED_INVOKE) & OPEN), StateCode.WAITING_FOR_CHILD),
        (_has(pending_step & condition), StateCode.POLLING),
    ]
    return Case(*[When(rule, then=Value(code.value)) for rule, code in rules], default=Value(StateCode.WAITING.value))


def in_state(executions: QuerySet[Execution], code: StateCode, served: Collection[int]) -> QuerySet[Execution]:
    """Keeps the executions of one derived state; the status goes first, as it has an index."""
    if code.is_terminal:
        return executions.filter(status=code.value.upper())
    if code is StateCode.PAUSED:
        return executions.filter(status__in=[ExecutionStatus.PAUSED, ExecutionStatus.PAUSING])
    running = executions.filter(status=ExecutionStatus.RUNNING)
    return running.alias(state=state_case(served)).filter(state=code.value)


def _has(condition: Q) -> Exists:
    return Exists(Operation.objects.filter(condition, execution_id=OuterRef("id")))


def _is_not(sub_type: Q) -> Q:
    """SQL's `not` of a missing sub type is unknown, which would drop the row."""
    return Q(sub_type__isnull=True) | ~sub_type
