"""The derivation of `explain.py` in SQL: to filter lists by derived state and to count.

Two halves, so that each look stays short whatever the number of executions: what the execution's own row says (all of it in the
index `execution_open`), and what the open operations of a suspended one say (index `operation_open`), for a bounded number of
the newest.
"""

from collections import Counter
from collections.abc import Collection
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Case, Q, QuerySet, Value, When
from django.db.models.functions import Now

from execution_engine.core.enums import ExecutionStatus, OperationStatus
from execution_engine.models import Execution
from execution_engine.selectors.explain import StateCode

EXAMINED = 10_000
"""Executions that one look takes into account: below, answers are exact; above, a list is read on in further looks."""

OPEN = Q(ended_at__isnull=True, status__in=[OperationStatus.STARTED, OperationStatus.PENDING, OperationStatus.READY])

# In the order of `explain.KINDS`: what a suspended execution waits for is the first of them that an open operation is.
_KINDS = (
    (StateCode.RETRYING, "o.type = 'STEP' and o.status = 'PENDING' and o.sub_type is distinct from 'WaitForCondition'"),
    (StateCode.WAITING_FOR_APPROVAL, "false"),  # its own look below: only the index `operation_open_approval` knows without the row
    (StateCode.WAITING_FOR_CALLBACK, "o.type = 'CALLBACK' and o.sub_type is distinct from 'Signal'"),
    (StateCode.WAITING_FOR_SIGNAL, "o.type = 'CALLBACK'"),
    (StateCode.WAITING_FOR_CHILD, "o.type = 'CHAINED_INVOKE'"),
    (StateCode.POLLING, "o.type = 'STEP' and o.status = 'PENDING'"),
)
_RANK = "case " + " ".join(f"when {condition} then {place}" for place, (_, condition) in enumerate(_KINDS)) + " end"
_APPROVAL, _CALLBACK = 1, 2
# By range, not row by row: ids are in order of time, so the newest candidates' open operations lie together in their index.
_WAITED_FOR = f"""o as (
  select o.execution_id, min({_RANK}) as kind from durable_operation o
   where o.execution_id >= (select id from w order by id limit 1) and o.ended_at is null and o.status in ('STARTED', 'PENDING', 'READY')
   group by o.execution_id
), k as (
  select o.execution_id, case when o.kind = {_CALLBACK} and a.execution_id is not null then {_APPROVAL} else o.kind end as kind
    from o left join (
      select distinct execution_id from durable_operation
       where execution_id >= (select id from w order by id limit 1) and ended_at is null and type = 'CALLBACK'
         and options like '%%"approval"%%') a using (execution_id)
)"""  # noqa: S608
_CODES = (*(code for code, _ in _KINDS), StateCode.WAITING)
_PLAIN_WAIT = len(_KINDS)
_SUSPENDED = "suspended"


def own_state(code: StateCode, served: Collection[int]) -> Q:
    """What the row of an execution in this state says. For a state of `asks_operations` it is only half of the truth."""
    if code.is_terminal:
        return Q(status=code.value.upper())
    running, is_due = Q(ended_at__isnull=True, status=ExecutionStatus.RUNNING), Q(due_at__lte=Now())
    # Nobody has the id 0; an empty list would make Django leave out the whole statement.
    is_served, is_claimed = Q(function_version_id__in=[*served, 0]), Q(claim_id__isnull=False)
    not_due = Q(due_at__isnull=True) | Q(due_at__gt=Now())
    if code is StateCode.PAUSED:
        return Q(ended_at__isnull=True, status__in=[ExecutionStatus.PAUSED, ExecutionStatus.PAUSING])
    if code is StateCode.RUNNING:
        return running & is_claimed & (is_served | not_due)
    if code is StateCode.STRANDED:
        return running & is_due & ~is_served
    if code is StateCode.QUEUED:
        return running & ~is_claimed & is_due & is_served
    suspended = running & ~is_claimed & not_due
    return suspended if code is StateCode.RETRYING else suspended & Q(failed_invocations=0)


def asks_operations(code: StateCode) -> bool:
    return code in _CODES


def find(candidates: QuerySet[Any], code: StateCode | None, limit: int, examined: int) -> list[UUID]:
    """Ids of the first `limit` that match and are in this state, among the newest `examined` candidates.

    Candidates carry an annotation `matches`. What lies behind the last one found is not looked at. One query.
    """
    looked, source, params = _among(candidates, code, examined)
    with connection.cursor() as cursor:
        cursor.execute(f"{looked} select w.id from {source} order by w.started_at desc, w.id desc limit %s", (*params, limit))  # noqa: S608
        return [row[0] for row in cursor.fetchall()]


def count(candidates: QuerySet[Any], code: StateCode | None, examined: int) -> int:
    """How many of the newest `examined` candidates match and are in this state. One query."""
    looked, source, params = _among(candidates, code, examined)
    with connection.cursor() as cursor:
        cursor.execute(f"{looked} select count(*) from {source}", params)  # noqa: S608
        return int(cursor.fetchone()[0])


def last_examined(candidates: QuerySet[Any], examined: int) -> tuple[datetime, UUID] | None:
    """Start and id of the candidate that a look at `examined` ends with; None when there are not as many."""
    found = candidates.order_by("-started_at", "-id").values_list("started_at", "id")[examined - 1 : examined]
    return next(iter(found), None)


def open_states(served: Collection[int], functions: Q) -> tuple[Counter[StateCode], int]:
    """How many of the newest open executions are in which state, and how many were looked at: at most `EXAMINED`. One query.

    `functions` is a condition on the executions: whose functions count.
    """
    own = (StateCode.PAUSED, StateCode.RUNNING, StateCode.STRANDED, StateCode.QUEUED)
    cases = [When(own_state(code, served), then=Value(code.value)) for code in own]
    rows = Execution.objects.filter(functions, ended_at__isnull=True).annotate(own=Case(*cases, default=Value(_SUSPENDED)))
    window = rows.order_by("-started_at", "-id").values("id", "own", "failed_invocations")[:EXAMINED]
    sql, params = window.query.sql_with_params()
    kind = f"case when w.failed_invocations > 0 then 0 else coalesce(k.kind, {_PLAIN_WAIT}) end"
    kind = f"case when w.own = '{_SUSPENDED}' then {kind} end"
    text = (
        f"with w as materialized ({sql}), {_WAITED_FOR} "  # noqa: S608
        f"select w.own, {kind}, count(*) from w left join k on k.execution_id = w.id group by 1, 2"
    )
    found: Counter[StateCode] = Counter()
    with connection.cursor() as cursor:
        cursor.execute(text, params)
        for own_code, place, number in cursor.fetchall():
            found[StateCode(own_code) if place is None else _CODES[place]] += number
    return found, found.total()


def _among(candidates: QuerySet[Any], code: StateCode | None, examined: int) -> tuple[str, str, tuple[Any, ...]]:
    """A look at candidates: the WITH and what follows FROM, with their parameters."""
    ordered = candidates.order_by("-started_at", "-id").values("id", "started_at", "failed_invocations", "matches")[:examined]
    sql, params = ordered.query.sql_with_params()
    if code is None or not asks_operations(code):
        return f"with w as materialized ({sql})", "w where w.matches", params
    retrying = "w.failed_invocations > 0 or " if code is StateCode.RETRYING else ""
    source = f"w left join k on k.execution_id = w.id where w.matches and ({retrying}coalesce(k.kind, {_PLAIN_WAIT}) = %s)"
    return f"with w as materialized ({sql}), {_WAITED_FOR}", source, (*params, _CODES.index(code))
