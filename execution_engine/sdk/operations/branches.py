"""The branches of map and parallel: started in index order, run on threads, stopped early, suspended together.

The coordinator runs on the calling thread and owns all branch state; the threads only tell it how a branch ended.
"""

import heapq
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any

from execution_engine.core.enums import OperationStatus, OperationType
from execution_engine.core.identifiers import operation_id
from execution_engine.core.records import ErrorObject
from execution_engine.core.serdes import SerDes
from execution_engine.sdk import ports
from execution_engine.sdk.batch import BatchItem, BatchResult
from execution_engine.sdk.branch_threads import BranchThreads
from execution_engine.sdk.completion import BatchItemStatus, CompletionConfig, CompletionItemStatus, CompletionStatus, Progress
from execution_engine.sdk.config import ChildConfig
from execution_engine.sdk.errors import DurableOperationError, ExecutionError, InvocationError, OrphanedChildException
from execution_engine.sdk.failures import error_object
from execution_engine.sdk.key import OperationKey
from execution_engine.sdk.operations.base import Body
from execution_engine.sdk.operations.child_context import run_child
from execution_engine.sdk.scope import Scope
from execution_engine.sdk.suspend import SuspendExecution, suspension

if TYPE_CHECKING:
    from execution_engine.sdk.context import DurableContext

# Branches that run author code at the same time, by depth of nesting: each thread costs memory and, in a database step, a
# connection. More branches may be unfinished: suspended ones need no thread.
THREADS_BY_DEPTH = (64, 8)
# How soon to look again at a timer that the journal's clock does not hold for due yet.
LOOK_AGAIN = timedelta(milliseconds=50)


@dataclass(frozen=True, slots=True)
class BatchPlan:
    """What map and parallel have in common: who runs, under which names, until when."""

    item_sub_type: str
    bodies: list[Body]
    names: list[str]
    max_concurrency: int | None
    completion: CompletionConfig
    item_serdes: SerDes[Any] | None
    is_flat: bool


class State(Enum):
    PENDING = "PENDING"
    RUNNING = "RUNNING"
    SUSPENDED = "SUSPENDED"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"


_ITEM_STATUS = {
    State.PENDING: None,
    State.RUNNING: BatchItemStatus.STARTED,
    State.SUSPENDED: BatchItemStatus.STARTED,
    State.SUCCEEDED: BatchItemStatus.SUCCEEDED,
    State.FAILED: BatchItemStatus.FAILED,
}


@dataclass(slots=True)
class Branch:
    index: int
    state: State = State.PENDING
    result: Any = None
    error: ErrorObject | None = None
    awaited: frozenset[str] = frozenset()


Ended = Callable[[], None]


class Coordinator:
    """Runs one batch to its end or its suspension."""

    def __init__(self, context: "DurableContext", key: OperationKey, plan: BatchPlan) -> None:
        self._scope = Scope()
        self._context = context
        context._invocation = context._invocation.guarded(self._scope)
        self._sink = context._invocation.sink
        self._key = key
        self._plan = plan
        self._branches = [Branch(index) for index in range(len(plan.bodies))]
        self._pending = deque(self._branches)
        self._limit = plan.max_concurrency or len(plan.bodies)
        most = THREADS_BY_DEPTH[context._depth] if context._depth < len(THREADS_BY_DEPTH) else 1
        self._most_running = min(self._limit, most)
        self._threads = BranchThreads(self._most_running)
        context._invocation.branch_threads.append(self._threads)
        self._events: SimpleQueue[tuple[Branch, BaseException | None, Any]] = SimpleQueue()
        self._timers: list[tuple[datetime, int]] = []
        self._running = self._unfinished = self._succeeded = self._failed = 0
        self._progress: Progress | None = None
        self._retryable: InvocationError | None = None

    def run(self) -> BatchResult[Any]:
        """The result, once the batch is over and none of its branches may write any more. Raises a suspension otherwise."""
        try:
            while not self._look().is_over:
                self._go_on()
            while self._retryable is not None:
                self._go_on()
        except SuspendExecution:
            raise
        except BaseException:
            self._scope.abandon()
            raise
        finally:
            self._threads.stop()
        self._scope.close()
        return BatchResult(self._items(), self._look().reason)

    def _go_on(self) -> None:
        if self._retryable is None and self._start_next():
            return
        if self._running:
            self._await_event()
        elif self._retryable is not None:
            raise self._retryable
        elif not self._wake():
            self._suspend()

    def _look(self) -> Progress:
        if self._progress is None:
            total, predicate = len(self._branches), self._plan.completion.should_complete
            decision = None
            if predicate is not None:
                ended = self._succeeded + self._failed
                decision = predicate(CompletionStatus(self._succeeded, self._failed, ended, total, self._snapshot()))
            self._progress = Progress(self._plan.completion, total, self._succeeded, self._failed, decision)
        return self._progress

    def _snapshot(self) -> tuple[CompletionItemStatus, ...]:
        names = self._plan.names
        return tuple(CompletionItemStatus(branch.index, names[branch.index], _ITEM_STATUS[branch.state]) for branch in self._branches)

    def _start_next(self) -> bool:
        """Starts branches while there is room; False when there is none. A recorded end needs no thread."""
        started = False
        while self._pending and self._unfinished < self._limit and self._running < self._most_running:
            branch = self._pending.popleft()
            started = True
            self._unfinished += 1
            if self._is_settled(branch):
                self._running += 1
                self._apply(branch, *self._outcome(branch))
                break
            self._submit(branch)
        if started:
            self._progress = None if self._plan.completion.should_complete else self._progress
        return started

    def _is_settled(self, branch: Branch) -> bool:
        record = self._sink.operations.get(self._id(branch))
        return record is not None and record.is_terminal and not record.replay_children

    def _submit(self, branch: Branch) -> None:
        branch.state = State.RUNNING
        self._running += 1
        self._threads.submit(ports.in_thread(lambda: self._events.put((branch, *self._outcome(branch)))))

    def _outcome(self, branch: Branch) -> tuple[BaseException | None, Any]:
        """Runs the branch; what it raised, or None and its result."""
        try:
            return None, run_branch(self._context, self._key, self._plan, branch.index)
        except (SuspendExecution, OrphanedChildException) as unwound:
            return unwound, None
        except ExecutionError as fatal:
            self._scope.fail(fatal)
            return fatal, None
        except Exception as error:
            return error, None
        except BaseException as fatal:
            self._scope.fail(fatal)
            return fatal, None

    def _await_event(self) -> None:
        timeout = None
        if self._timers:
            timeout = max(0.0, (self._timers[0][0] - self._sink.now()).total_seconds())
        try:
            event = self._events.get(timeout=timeout)
        except Empty:
            self._wake()
            return
        self._apply(*event)

    def _apply(self, branch: Branch, error: BaseException | None, result: Any) -> None:
        self._running -= 1
        self._progress = None
        if isinstance(error, SuspendExecution):
            branch.state, branch.awaited = State.SUSPENDED, error.awaited
            self._set_timer(branch)
            return
        if isinstance(error, OrphanedChildException | ExecutionError) or not isinstance(error, Exception | None):
            raise error
        if isinstance(error, InvocationError) and error.is_retryable():
            self._retryable = error
            return
        self._unfinished -= 1
        self._settle(branch, error, result)

    def _settle(self, branch: Branch, error: Exception | None, result: Any) -> None:
        if error is None:
            branch.state, branch.result = State.SUCCEEDED, result
            self._succeeded += 1
        else:
            branch.state, branch.error = State.FAILED, escaped(error)
            self._failed += 1

    def _set_timer(self, branch: Branch) -> None:
        due = [record.due_at for id_ in branch.awaited if (record := self._sink.operations.get(id_)) and record.due_at]
        if due:
            heapq.heappush(self._timers, (min(due), branch.index))

    def _wake(self) -> bool:
        """Lets suspended branches go on whose operation is over by now; True when there was one."""
        now = self._sink.now()
        looked: list[Branch] = []
        while self._timers and self._timers[0][0] <= now:
            looked.append(self._branches[heapq.heappop(self._timers)[1]])
        if looked:
            self._sink.refresh()
        awake = [branch for branch in self._branches if branch.state is State.SUSPENDED and self._is_awake(branch)]
        for branch in awake:
            self._submit(branch)
        for branch in looked:
            if branch.state is State.SUSPENDED:
                heapq.heappush(self._timers, (now + LOOK_AGAIN, branch.index))
        return bool(awake)

    def _is_awake(self, branch: Branch) -> bool:
        operations = self._sink.operations
        found = [record for id_ in branch.awaited if (record := operations.get(id_)) is not None]
        return any(record.is_terminal or record.status is OperationStatus.READY for record in found)

    def _suspend(self) -> None:
        waiting = [branch for branch in self._branches if branch.state is State.SUSPENDED]
        awaited = frozenset[str]().union(*(branch.awaited for branch in waiting))
        records = (self._sink.operations.get(id_) for id_ in awaited)
        due = [record.due_at for record in records if record is not None and record.due_at is not None]
        raise suspension(f"{len(waiting)} branches of {self._key} wait", min(due, default=None), awaited)

    def _items(self) -> list[BatchItem[Any]]:
        """The branches that were started. One that ended while the batch was closed is told by its record."""
        for branch in self._branches:
            if branch.state in (State.RUNNING, State.SUSPENDED) and not self._plan.is_flat and self._is_settled(branch):
                error, result = self._outcome(branch)
                if error is None or isinstance(error, Exception):
                    self._settle(branch, error, result)
        return [
            BatchItem(branch.index, status, branch.result, branch.error)
            for branch in self._branches
            if (status := _ITEM_STATUS[branch.state]) is not None
        ]

    def _id(self, branch: Branch) -> str:
        return operation_id(self._key.id, branch.index)


def run_branch(context: "DurableContext", key: OperationKey, plan: BatchPlan, index: int) -> Any:
    """Runs or answers one branch; ids depend on its index only. Raises `ChildContextError` when its body raised."""
    id_ = operation_id(key.id, index)
    branch_key = OperationKey(
        context._invocation, id_, OperationType.CONTEXT, plan.item_sub_type, plan.names[index] or None, context._parent_id
    )
    config: ChildConfig[Any] = ChildConfig(serdes=plan.item_serdes, is_virtual=plan.is_flat)
    try:
        return run_child(context, branch_key, plan.bodies[index], config, is_replaying=context._is_recorded(id_))
    finally:
        ports.after_user_code()


def escaped(error: Exception) -> ErrorObject:
    """What escaped the branch, as its own record has it."""
    if isinstance(error, DurableOperationError):
        trace = None if error.stack_trace is None else tuple(error.stack_trace)
        return ErrorObject(error.message, error.error_type, error.data, trace)
    return error_object(error)
