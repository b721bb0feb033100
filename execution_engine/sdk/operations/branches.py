"""The branches of map and parallel: started in index order, run on threads, stopped early, suspended together.

The coordinator runs on the calling thread and decides; a thread whose branch succeeded takes the next one by itself, because
going to the coordinator and back would cost more than a short branch. All state is read and changed under one lock.
"""

from collections import deque
from queue import Empty, SimpleQueue
from threading import RLock
from typing import TYPE_CHECKING, Any

from execution_engine.core.enums import OperationType
from execution_engine.core.identifiers import operation_id
from execution_engine.sdk import ports
from execution_engine.sdk.batch import BatchItem, BatchResult
from execution_engine.sdk.branch_threads import BranchThreads
from execution_engine.sdk.completion import CompletionStatus, Progress
from execution_engine.sdk.config import ChildConfig
from execution_engine.sdk.errors import ExecutionError, InvocationError, OrphanedChildException
from execution_engine.sdk.key import OperationKey
from execution_engine.sdk.operations.branch import ITEM_STATUS, BatchPlan, Branch, State, decided, snapshot
from execution_engine.sdk.operations.child_context import run_child
from execution_engine.sdk.operations.sleepers import Sleepers
from execution_engine.sdk.scope import Scope
from execution_engine.sdk.suspend import SuspendExecution
from execution_engine.sdk.witness import Asked

if TYPE_CHECKING:
    from execution_engine.sdk.context import DurableContext

# Branches that run author code at the same time, by depth of nesting: each thread costs memory and, in a database step, a
# connection. More branches may be unfinished: suspended ones need no thread.
THREADS_BY_DEPTH = (64, 8)


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
        # A rehearsal runs them one after the other on its own thread, so that it says the same each time.
        self._most_running = 1 if context._invocation.witness is not None else min(self._limit, most)
        self._threads = BranchThreads(self._most_running)
        context._invocation.branch_threads.append(self._threads)
        self._events: SimpleQueue[tuple[Branch, BaseException | None, Any] | None] = SimpleQueue()
        self._lock = RLock()
        self._is_decided = False
        self._sleepers = Sleepers(self._sink, self._branches)
        self._running = self._unfinished = self._succeeded = self._failed = 0
        self._progress: Progress | None = None
        self._retryable: InvocationError | None = None

    def run(self) -> BatchResult[Any]:
        """The result, once the batch is over and none of its branches may write any more. Raises a suspension otherwise."""
        try:
            progress = self._decide()
        except SuspendExecution:
            raise
        except BaseException:
            self._scope.abandon()
            raise
        finally:
            self._threads.stop()
        self._scope.close()
        return BatchResult(self._items(), progress.reason)

    def _decide(self) -> Progress:
        """Goes on until the batch is over; branches that end later change nothing any more.

        Looking and acting on it is one step under the lock: a branch that ends in between must not be overlooked.
        """
        while True:
            with self._lock:
                progress = self._look()
                if progress.is_over and self._retryable is None:
                    self._is_decided = True
                    return progress
                must_wait = self._go_on(progress.is_over)
            if must_wait:
                self._await_event()

    def _go_on(self, is_over: bool) -> bool:
        """Starts or resumes what it can; True when only a running branch can bring news. Raises when nothing runs."""
        if not is_over and self._retryable is None and self._start_next():
            return False
        if self._running:
            return True
        if self._retryable is not None:
            raise self._retryable
        if not self._wake():
            raise self._sleepers.suspension(self._key)
        return False

    def _look(self) -> Progress:
        if self._progress is None:
            total, predicate = len(self._branches), self._plan.completion.should_complete
            decision = None
            if predicate is not None:
                ended = self._succeeded + self._failed
                items = snapshot(self._branches, self._plan.names)
                decision = decided(predicate, CompletionStatus(self._succeeded, self._failed, ended, total, items))
            self._progress = Progress(self._plan.completion, total, self._succeeded, self._failed, decision)
        return self._progress

    def _start_next(self) -> bool:
        """Starts branches while there is room; False when there is none. A recorded end needs no thread."""
        started = False
        while self._pending and self._unfinished < self._limit and self._running < self._most_running:
            branch = self._pending.popleft()
            started = True
            self._unfinished += 1
            if self._is_settled(branch) or self._most_running == 1:
                self._run_here(branch)
                break
            self._submit(branch)
        if started:
            self._progress = None if self._plan.completion.should_complete else self._progress
        return started

    def _is_settled(self, branch: Branch) -> bool:
        record = self._sink.operations.get(operation_id(self._key.id, branch.index))
        return record is not None and record.is_terminal and not record.replay_children

    def _submit(self, branch: Branch) -> None:
        branch.state = State.RUNNING
        self._running += 1
        self._threads.submit(ports.in_thread(lambda: self._work(branch)))

    def _work(self, branch: Branch) -> None:
        """What a thread does: its branch, and then others as long as nothing needs the coordinator."""
        following: Branch | None = branch
        try:
            while following is not None:
                following = self._hand_over(following, *self._outcome(following))
        finally:
            ports.after_user_code()

    def _hand_over(self, branch: Branch, error: BaseException | None, result: Any) -> Branch | None:
        if error is not None or self._plan.completion.should_complete is not None:
            self._events.put((branch, error, result))
            return None
        with self._lock:
            if self._is_decided:
                return None
            self._apply(branch, None, result)
            if self._pending and self._retryable is None and not self._look().is_over:
                following = self._pending.popleft()
                following.state = State.RUNNING
                self._running += 1
                self._unfinished += 1
                return following
        self._events.put(None)
        return None

    def _run_here(self, branch: Branch) -> None:
        """On the coordinator's own thread: a recorded end, or branches that run one at a time anyway."""
        branch.state = State.RUNNING
        self._running += 1
        self._apply(branch, *self._outcome(branch))

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
        with self._lock:
            timeout = self._sleepers.seconds_left()
        try:
            event = self._events.get(timeout=timeout)
        except Empty:
            with self._lock:
                self._wake()
            return
        if event is not None:
            with self._lock:
                self._apply(*event)

    def _apply(self, branch: Branch, error: BaseException | None, result: Any) -> None:
        self._running -= 1
        self._progress = None
        if isinstance(error, SuspendExecution):
            branch.state, branch.awaited = State.SUSPENDED, error.awaited
            self._sleepers.add(branch)
            return
        if isinstance(error, OrphanedChildException | ExecutionError) or not isinstance(error, Exception | None):
            raise error
        if isinstance(error, InvocationError) and error.is_retryable():
            self._retryable = error
            return
        self._unfinished -= 1
        self._succeeded += error is None
        self._failed += error is not None
        branch.settle(error, result)

    def _wake(self) -> bool:
        """Lets suspended branches go on whose operation is over by now; True when there was one."""
        awake = self._sleepers.awake()
        resume = self._run_here if self._most_running == 1 else self._submit
        for branch in awake:
            resume(branch)
        return bool(awake)

    def _items(self) -> list[BatchItem[Any]]:
        """The branches that were started. One that ended while the batch was closed is told by its record."""
        for branch in self._branches:
            if branch.state in (State.RUNNING, State.SUSPENDED) and not self._plan.is_flat and self._is_settled(branch):
                error, result = self._outcome(branch)
                if error is None or isinstance(error, Exception):
                    branch.settle(error, result)
        return [
            BatchItem(branch.index, status, branch.result, branch.error)
            for branch in self._branches
            if (status := ITEM_STATUS[branch.state]) is not None
        ]


def run_branch(context: "DurableContext", key: OperationKey, plan: BatchPlan, index: int) -> Any:
    """Runs or answers one branch; ids depend on its index only. Raises `ChildContextError` when its body raised."""
    id_, name = operation_id(key.id, index), plan.names[index] or None
    if (witness := context._invocation.witness) is not None:
        witness.asks(Asked(id_, OperationType.CONTEXT, plan.item_sub_type, name, context._parent_id, key.id, index))
    branch_key = OperationKey(context._invocation, id_, OperationType.CONTEXT, plan.item_sub_type, name, context._parent_id)
    config: ChildConfig[Any] = ChildConfig(serdes=plan.item_serdes, is_virtual=plan.is_flat)
    is_replaying = key.found is not None and context._is_recorded(id_)  # of a new batch nothing is recorded
    return run_child(context, branch_key, plan.bodies[index], config, is_replaying=is_replaying)
