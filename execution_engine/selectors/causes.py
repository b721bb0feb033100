"""Why an execution does not move, as a tree: for each cause since when, until when if it ends by itself, and what is behind it.

The words are those of `explain.derived_state`. Added here is what would take too long for a list: what is ahead in the queue, which worker
could serve it, what a child waits for. Who decides and who paused is added by `durable_ops`, which knows people.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from django.db.models import Q

from execution_engine.models import Execution, FunctionVersion
from execution_engine.selectors.executions import ExecutionDetail, get_execution, open_operations
from execution_engine.selectors.explain import KINDS, DerivedState, OpenOperation, StateCode, waiting_for
from execution_engine.selectors.limits import HeldLimit, held_by
from execution_engine.selectors.workers import LiveWorker, live_workers

DEPTH = 5
SHOWN = 5
COUNTED = 1_000


class CauseCode(StrEnum):
    QUEUE = "queue"
    LIMIT = "limit"
    HOLDER = "holder"
    WORKERS = "workers"
    NO_WORKER = "no_worker"
    RETRY = "retry"
    CALLBACK = "callback"
    APPROVAL = "approval"
    SIGNAL = "signal"
    CHILD = "child"
    POLL = "poll"
    TIMER = "timer"
    PAUSE = "pause"
    MORE = "more"


@dataclass(frozen=True, slots=True)
class Cause:
    """One cause. A `HOLDER` is an execution that takes up what a `LIMIT` counts. `until` is None when only somebody outside can end it.

    `operation_id` belongs to the execution that is explained. `execution_id` is another execution, whose own causes are in `causes`.
    `callback_id` is what would have to be answered.
    """

    code: CauseCode
    sentence: str
    since: datetime | None = None
    until: datetime | None = None
    operation_id: str | None = None
    execution_id: UUID | None = None
    callback_id: str | None = None
    causes: tuple["Cause", ...] = field(default=())


@dataclass(frozen=True, slots=True)
class Explanation:
    """`parent` is the execution that waits for this one: its id and function."""

    state: DerivedState
    causes: tuple[Cause, ...]
    parent: tuple[UUID, str] | None = None

    @property
    def says_more(self) -> bool:
        """Whether the tree says more than the sentence of the state does."""
        return self.parent is not None or any(cause.sentence != self.state.sentence for cause in self.causes)


def explain(execution_id: UUID, detail: ExecutionDetail | None = None) -> Explanation:
    """Raises ExecutionNotFoundError. `detail`, when it was read already, saves its queries.

    One query for the parent; then three for a queue (six where a limit holds it), else one for the open operations, one for missing
    workers, two for each child.
    """
    return _explain(detail or get_execution(execution_id), DEPTH)


def _explain(detail: ExecutionDetail, depth: int) -> Explanation:
    summary = detail.summary
    if summary.is_terminal:
        return Explanation(summary.state, (), _parent(detail))
    if summary.state.code is StateCode.QUEUED:
        causes, until = _queue(detail)
        return Explanation(replace(summary.state, until=until), causes, _parent(detail))
    operations = open_operations([summary.id])[summary.id]
    if summary.state.code is StateCode.STRANDED:
        causes = _nobody(detail)
    elif summary.state.code is StateCode.PAUSED:
        causes = (Cause(CauseCode.PAUSE, summary.state.sentence, since=summary.state.since),)
    elif summary.state.code is StateCode.RUNNING:
        causes = ()
    else:
        causes = _waits(detail, operations, depth)
    return Explanation(summary.state, causes, _parent(detail))


def _parent(detail: ExecutionDetail) -> tuple[UUID, str] | None:
    if detail.parent_id is None:
        return None
    found = Execution.objects.filter(id=detail.parent_id, ended_at__isnull=True).values_list("id", "function").first()
    return (found[0], found[1]) if found else None


def _queue(detail: ExecutionDetail) -> tuple[tuple[Cause, ...], datetime | None]:
    """Why a due execution has not been claimed. Limits come first: when one is reached, no free thread helps.

    Then its rank, in the queue or in the line of its limit, where executions due at the same time stand in order of their ids; and when it
    begins, which is known only where nothing but a rate holds it back.
    """
    version = detail.summary.function_version_id
    serving = [worker for worker in live_workers() if not worker.is_draining and version in worker.version_ids]
    earlier = Q(due_at__lt=detail.due_at) | Q(due_at=detail.due_at, id__lt=detail.summary.id)
    due = Execution.objects.filter(earlier, status="RUNNING", claim_id__isnull=True, due_at__lte=detail.due_at)
    if detail.line is None:
        served = {one for worker in serving for one in worker.version_ids}
        found = due.filter(function_version_id__in=served, line__isnull=True).values("id")[: COUNTED + 1].count()
        where, nobody = "at the same workers", "Nothing that the same workers serve is due before it."
    else:
        found = due.filter(function_version_id=version, line=detail.line).values("id")[: COUNTED + 1].count()
        where, nobody = "in the same line", "It is the first of its line."
    limits = held_by(detail.summary.function, detail.line, found + 1, detail.summary.read_at)
    number = f"more than {COUNTED:,}" if found > COUNTED else f"{found:,}"
    first = f"{number} due before it {where}." if found else nobody
    since = detail.summary.state.since
    rank = (Cause(CauseCode.QUEUE, first, since=since), Cause(CauseCode.WORKERS, _busy(serving)))
    until = limits[-1].start_due_at if limits and found <= COUNTED else None
    return (*map(_limit, limits), *rank), until


def _limit(held: HeldLimit) -> Cause:
    holders = [
        Cause(CauseCode.HOLDER, f"{_given(one.name, one.id) or 'An execution'} runs.", since=one.since, execution_id=one.id)
        for one in held.holders
    ]
    if held.taken > len(holders) > 0:
        holders.append(Cause(CauseCode.MORE, f"{held.taken - len(holders)} more run."))
    return Cause(CauseCode.LIMIT, held.sentence, until=held.until, causes=tuple(holders))


def _busy(serving: Sequence[LiveWorker]) -> str:
    threads, busy = sum(worker.threads for worker in serving), sum(worker.in_flight for worker in serving)
    who = "1 worker serves" if len(serving) == 1 else f"{len(serving)} workers serve"
    return f"{who} its version: {busy} of {threads} threads are busy."


def _nobody(detail: ExecutionDetail) -> tuple[Cause, ...]:
    """Which versions of the function are served: this is usually the deploy that left the execution's version behind."""
    summary = detail.summary
    served = {one for worker in live_workers() if not worker.is_draining for one in worker.version_ids}
    names = FunctionVersion.objects.filter(function=summary.function, id__in=served).order_by("id").values_list("version", flat=True)
    others = ", ".join(names)
    text = f"Version {summary.version} of {summary.function} is served by no live worker"
    sentence = f"{text}; served: {others}." if others else f"{text}, nor is any other version of it."
    return (Cause(CauseCode.NO_WORKER, sentence, since=summary.state.since),)


def _waits(detail: ExecutionDetail, operations: Sequence[OpenOperation], depth: int) -> tuple[Cause, ...]:
    """Every open operation that something must happen to, in the order of the derivation: trouble, people, programs, time."""
    found = [(code, one) for code, belongs in KINDS for one in operations if belongs(one)]
    causes = [_of_operation(code, one, detail, depth) for code, one in found[:SHOWN]]
    if detail.failed_invocations:
        state = detail.summary.state
        causes.insert(0, Cause(CauseCode.RETRY, state.sentence, since=state.since, until=state.until))
    if len(found) > SHOWN:
        causes.append(Cause(CauseCode.MORE, f"{len(found) - SHOWN} more operations are open."))
    return tuple(causes)


_CODES = {
    StateCode.RETRYING: CauseCode.RETRY,
    StateCode.WAITING_FOR_APPROVAL: CauseCode.APPROVAL,
    StateCode.WAITING_FOR_CALLBACK: CauseCode.CALLBACK,
    StateCode.WAITING_FOR_SIGNAL: CauseCode.SIGNAL,
    StateCode.WAITING_FOR_CHILD: CauseCode.CHILD,
    StateCode.POLLING: CauseCode.POLL,
    StateCode.WAITING: CauseCode.TIMER,
}


def _of_operation(code: StateCode, operation: OpenOperation, detail: ExecutionDetail, depth: int) -> Cause:
    state = waiting_for(code, operation)
    child = _child(detail.summary.id, operation.id) if code is StateCode.WAITING_FOR_CHILD and depth else None
    behind = _explain(child, depth - 1) if child else None
    sentence = state.sentence
    if child is not None and behind is not None:
        named = _given(child.summary.name, child.summary.id)
        sentence = f"Its child {child.summary.function}{f' ({named})' if named else ''} has not ended: {behind.state.label}."
    return Cause(
        code=_CODES[code],
        sentence=sentence,
        since=state.since,
        until=state.until,
        operation_id=operation.id,
        execution_id=child.summary.id if child else None,
        callback_id=operation.callback_id,
        causes=behind.causes if behind else (),
    )


def _given(name: str, execution_id: UUID) -> str:
    """The name that somebody gave the execution. An id in its place would tell a reader nothing; `Cause.execution_id` has it."""
    return "" if name == str(execution_id) else name


def _child(execution_id: UUID, operation_id: str) -> ExecutionDetail | None:
    children = Execution.objects.filter(parent_id=execution_id, parent_operation_id=operation_id)
    found = children.order_by("-started_at").values_list("id", flat=True).first()
    return get_execution(found) if found else None
