"""What executions can be searched by, and how each search stays bounded.

Conditions that an index answers in the order of the list make *candidates*. The others are looked up candidate by candidate, for at
most `examined` of them; whoever asks is told how far back the look went.
"""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import BooleanField, Exists, ExpressionWrapper, F, OuterRef, Q, QuerySet, Value
from django.db.models.functions import Coalesce, Now, Substr
from django.db.models.lookups import Exact

from execution_engine.core.enums import ExecutionStatus, OperationSubType, OperationType
from execution_engine.models import Execution, Operation
from execution_engine.selectors import states
from execution_engine.selectors.explain import StateCode
from execution_engine.selectors.failures import is_of_type

_HEX = frozenset("0123456789abcdef-")
_TROUBLE = [ExecutionStatus.FAILED, ExecutionStatus.TIMED_OUT, ExecutionStatus.STOPPED]


@dataclass(frozen=True, slots=True)
class ExecutionFilters:
    """What a list may be narrowed by; None and empty mean "any". `parent_id` keeps the children of one execution.

    `text` is a prefix of the name or (at least 8 hexadecimal digits) of the id. Every attribute must be equal; a number or truth value
    also matches its text. Ranges include their beginning and exclude their end; an execution that has not ended lasts until now.
    `error` is part of the error's type or message, in any case, of its type alone with `error_is_type`. `has_callback`: somebody could
    answer one now; `has_approval`: people could decide one. `trace_id` is the part of the traceparent that all calls of one trace share,
    32 hexadecimal digits. `functions` are those that whoever asks may see.
    """

    status: str | None = None
    state: StateCode | None = None
    function: str | None = None
    version: str | None = None
    name: str | None = None
    text: str = ""
    attributes: Mapping[str, Any] = field(default_factory=dict)
    parent_id: UUID | None = None
    started_from: datetime | None = None
    started_to: datetime | None = None
    ended_from: datetime | None = None
    ended_to: datetime | None = None
    longer_than: timedelta | None = None
    shorter_than: timedelta | None = None
    error: str = ""
    error_is_type: bool = False
    has_callback: bool = False
    has_approval: bool = False
    is_redriven: bool = False
    is_forked: bool = False
    functions: Collection[str] | None = None
    correlation_id: str | None = None
    trace_id: str | None = None


class Precision(StrEnum):
    EXACT = "exact"
    ESTIMATED = "estimated"
    AT_LEAST = "at_least"


@dataclass(frozen=True, slots=True)
class Count:
    """How many executions match. AT_LEAST: so many among the newest that were looked at."""

    number: int
    precision: Precision


@dataclass(frozen=True, slots=True)
class Search:
    """`candidates` carry the annotation `matches`; `is_examined` tells whether it or `state` is looked for among the newest."""

    candidates: QuerySet[Execution]
    state: StateCode | None
    is_examined: bool
    examined: int = states.EXAMINED

    def before(self, started_at: datetime, last: UUID) -> "Search":
        """What comes after this row in the list."""
        behind = Q(started_at__lt=started_at) | Q(started_at=started_at, id__lt=last)
        return replace(self, candidates=self.candidates.filter(behind, started_at__lte=started_at))


def make_search(filters: ExecutionFilters, served: Collection[int]) -> Search:
    """`served` holds the ids of the function versions that a live worker serves."""
    indexed, rest = _conditions(filters)
    state = filters.state
    if state is not None:
        indexed &= states.own_state(state, served)
    matches = ExpressionWrapper(rest, output_field=BooleanField()) if rest else Value(True)
    # Of an open state too: the index of open executions knows it, where the planner would rather read all their rows.
    is_examined = bool(rest) or (state is not None and not state.is_terminal)
    return Search(Execution.objects.filter(indexed).annotate(matches=matches), state, is_examined)


def of_functions(functions: Collection[str] | None) -> Q:
    """Executions of these functions, of all for None."""
    # No function has an empty name; an empty list would make Django leave out the whole statement.
    return Q() if functions is None else Q(function__in=sorted(functions) or [""])


def estimate(candidates: QuerySet[Execution]) -> int:
    """How many rows the planner expects, from the statistics of the last ANALYZE. One query."""
    sql, params = candidates.order_by().values("id").query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute(f"explain (format json) {sql}", params)
        plan = cursor.fetchone()[0]
    return int((json.loads(plan) if isinstance(plan, str) else plan)[0]["Plan"]["Plan Rows"])


def _conditions(filters: ExecutionFilters) -> tuple[Q, Q]:
    """What an index in the order of the list answers, and the rest."""
    equal = {"status": filters.status, "function": filters.function, "name": filters.name, "parent_id": filters.parent_id}
    indexed = Q(**{column: value for column, value in equal.items() if value})
    if filters.correlation_id:
        indexed &= Q(correlation_id=filters.correlation_id)
    if filters.trace_id:
        indexed &= Q(traceparent__isnull=False) & Q(Exact(Substr("traceparent", 4, 32), filters.trace_id))
    if filters.functions is not None:
        indexed &= of_functions(filters.functions)
    for key, value in filters.attributes.items():
        indexed &= _attribute_condition(key, value)
    if filters.text:
        indexed &= _text_condition(filters.text)
    for lookup, moment in (("started_at__gte", filters.started_from), ("started_at__lt", filters.started_to)):
        indexed &= Q(**{lookup: moment}) if moment else Q()
    for column, is_wanted in (("redrive_count__gt", filters.is_redriven), ("forked_from__isnull", filters.is_forked)):
        indexed &= Q(**{column: 0 if column.endswith("gt") else False}) if is_wanted else Q()
    if filters.error:
        indexed &= Q(status__in=_TROUBLE)
    if filters.has_callback or filters.has_approval:
        indexed &= Q(ended_at__isnull=True)
    if filters.ended_to:
        indexed &= Q(started_at__lt=filters.ended_to)  # what ended by then had begun by then: the index skips the newer ones
    return indexed, _rest(filters)


def _rest(filters: ExecutionFilters) -> Q:
    rest = Q(version=filters.version) if filters.version else Q()
    if filters.ended_from or filters.ended_to:
        rest &= Q(ended_at__isnull=False)
    for lookup, moment in (("ended_at__gte", filters.ended_from), ("ended_at__lt", filters.ended_to)):
        rest &= Q(**{lookup: moment}) if moment else Q()
    end: Any = Coalesce(F("ended_at"), Now())
    if filters.longer_than is not None:
        rest &= Q(started_at__lte=end - filters.longer_than)
    if filters.shorter_than is not None:
        rest &= Q(started_at__gt=end - filters.shorter_than)
    if filters.error and filters.error_is_type:
        rest &= is_of_type(filters.error)
    elif filters.error:
        rest &= Q(error__icontains=filters.error) | is_of_type(filters.error)
    if filters.has_callback:
        rest &= Q(Exists(_answerable()))
    if filters.has_approval:
        rest &= Q(Exists(_open_approvals()))
    return rest


def _answerable() -> QuerySet[Operation]:
    callbacks = Operation.objects.filter(states.OPEN, execution_id=OuterRef("id"), type=OperationType.CALLBACK)
    return callbacks.exclude(sub_type__isnull=False, sub_type=OperationSubType.SIGNAL)


def _open_approvals() -> QuerySet[Operation]:
    """In the words of the index `operation_open_approval`."""
    return Operation.objects.filter(
        execution_id=OuterRef("id"), ended_at__isnull=True, type=OperationType.CALLBACK, options__contains='"approval"'
    )


def _attribute_condition(key: str, value: Any) -> Q:
    """Who searches for 42 means the number and the text "42" alike."""
    condition = Q(attributes__contains={key: value})
    return condition if isinstance(value, str) else condition | Q(attributes__contains={key: json.dumps(value)})


def _text_condition(text: str) -> Q:
    condition = Q(name__startswith=text)
    digits = text.lower().replace("-", "")
    if 8 <= len(digits) <= 32 and _HEX.issuperset(text.lower()):
        condition |= Q(id__range=(UUID(digits.ljust(32, "0")), UUID(digits.ljust(32, "f"))))
    return condition
