"""The derivation of `explain.py` in SQL: to filter lists by derived state and to count."""

from collections.abc import Collection

from django.db.models import Case, Exists, OuterRef, Q, QuerySet, Value, When
from django.db.models.functions import Now

from execution_engine.core.enums import ExecutionStatus, OperationStatus, OperationSubType, OperationType
from execution_engine.models import Execution, Operation
from execution_engine.selectors.explain import StateCode

OPEN = Q(status__in=[OperationStatus.STARTED, OperationStatus.PENDING, OperationStatus.READY])


Rule = tuple[StateCode, Q]


def rules(served: Collection[int]) -> list[Rule]:
    """Conditions over open executions in the order of `derived_state`; the first that holds is the state."""
    is_due, is_served = Q(due_at__lte=Now()), Q(function_version_id__in=list(served))
    condition = Q(sub_type=OperationSubType.WAIT_FOR_CONDITION)
    signal = Q(sub_type=OperationSubType.SIGNAL)
    pending_step = Q(type=OperationType.STEP, status=OperationStatus.PENDING)
    callback = Q(type=OperationType.CALLBACK) & OPEN
    return [
        (StateCode.PAUSED, Q(status__in=[ExecutionStatus.PAUSED, ExecutionStatus.PAUSING])),
        (StateCode.RUNNING, Q(claim_id__isnull=False) & (is_served | _not_due())),
        (StateCode.STRANDED, is_due & ~is_served),
        (StateCode.QUEUED, is_due),
        (StateCode.RETRYING, Q(failed_invocations__gt=0)),
        (StateCode.RETRYING, _has(pending_step & _is_not(condition))),
        (StateCode.WAITING_FOR_CALLBACK, _has(callback & _is_not(signal))),
        (StateCode.WAITING_FOR_SIGNAL, _has(callback & signal)),
        (StateCode.WAITING_FOR_CHILD, _has(Q(type=OperationType.CHAINED_INVOKE) & OPEN)),
        (StateCode.POLLING, _has(pending_step & condition)),
        (StateCode.WAITING, Q(status=ExecutionStatus.RUNNING)),
    ]


def state_case(served: Collection[int]) -> Case:
    """An expression over open executions whose value is the `StateCode`."""
    return Case(*[When(condition, then=Value(code.value)) for code, condition in rules(served)])


def in_state(executions: QuerySet[Execution], code: StateCode, served: Collection[int]) -> QuerySet[Execution]:
    """Keeps the executions of one derived state.

    As plain conditions, not as a comparison with `state_case`, whose value no index knows: what is cheap and narrow (status,
    claim, due) is looked at first, and operations only of what remains.
    """
    if code.is_terminal:
        return executions.filter(status=code.value.upper())
    ordered = rules(served)
    if code is not StateCode.PAUSED:
        executions = executions.filter(status=ExecutionStatus.RUNNING)
    places = [place for place, (found, _) in enumerate(ordered) if found is code]
    wanted, earlier = Q(), Q()
    for place in places:
        wanted |= ordered[place][1]
    for found, condition in ordered[: places[0]]:
        if found is not StateCode.PAUSED:
            earlier |= condition
    return executions.filter(wanted).exclude(earlier) if earlier else executions.filter(wanted)


def _not_due() -> Q:
    return Q(due_at__isnull=True) | Q(due_at__gt=Now())


def _has(condition: Q) -> Q:
    return Q(Exists(Operation.objects.filter(condition, execution_id=OuterRef("id"))))


def _is_not(sub_type: Q) -> Q:
    """SQL's `not` of a missing sub type is unknown, which would drop the row."""
    return Q(sub_type__isnull=True) | ~sub_type
