"""`DurableExecutionTestClient`: durable functions in a plain pytest, without database, worker or waiting.

client = DurableExecutionTestClient()
execution = client.start_execution(expense_approval, {"expense_id": "E-1"})
execution.get_pending_callbacks()[0].complete({"action": "approved"})
execution.skip_time(Duration.from_days(1))
assert execution.get_result()["status"] == "completed"
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from execution_engine.core.errors import CallbackNotFoundError, FunctionNotFoundError
from execution_engine.sdk.durations import to_seconds
from execution_engine.sdk.registry import RegisteredFunction, describe, find_function, input_text
from execution_engine.testing.clock import VirtualClock
from execution_engine.testing.crash import Crash
from execution_engine.testing.engine import VirtualEngine
from execution_engine.testing.execution import ExecutionUnderTest
from execution_engine.testing.memory_engine import MemoryEngine
from execution_engine.testing.pending import PendingCallback
from execution_engine.testing.recorded import RecordedExecution


class DurableExecutionTestClient:
    """Runs handlers as production does, with the same rules, in memory and on a virtual clock.

    `start_at` (with a time zone) is the virtual time of the first start; by default the present, in whole seconds. Time
    stands still between calls: waits, retries, time-outs and `context.now()` all follow `skip_time`. A wait that is due,
    a completed callback and a signal run the execution on before the call returns.

    `database=True` keeps the executions in Django's default database, through the engine's own services and statements, inside
    an ordinary `TestCase` too: what a handler writes and what the engine writes are rolled back together.
    """

    def __init__(self, *, start_at: datetime | None = None, database: bool = False) -> None:
        self._engine = _engine(VirtualClock(start_at), database)

    @property
    def now(self) -> datetime:
        return self._engine.clock.now()

    def start_execution(
        self, handler: Callable[..., Any] | str, input: Any = None, name: str | None = None, *, tenant_id: str | None = None
    ) -> ExecutionUnderTest:
        """Starts a decorated handler, or a registered function by its name, and runs it to its first suspension.

        `input` travels as JSON (None: no input, the handler sees `{}`). The same `name` with the same input returns the
        same execution, with another input it raises `ExecutionAlreadyStartedError`.
        """
        execution = self._engine.start(_function_of(handler), input_text(input), name=name, tenant_id=tenant_id)
        return ExecutionUnderTest(execution, self._engine)

    def resume(self, handler: Callable[..., Any] | RegisteredFunction, recorded: RecordedExecution) -> ExecutionUnderTest:
        """Goes on with a recorded execution, in memory: what it finished is not done again, the failure that ended it is open.

        `events` begin anew; operations keep their recorded times, so start the client's clock at `recorded.latest_at`.
        """
        if not isinstance(self._engine, MemoryEngine):
            raise TypeError("a recorded execution is resumed in memory: DurableExecutionTestClient()")
        function = handler if isinstance(handler, RegisteredFunction) else describe(handler)
        return ExecutionUnderTest(self._engine.resume(function, recorded), self._engine)

    def register_function(self, handler: Callable[..., Any], name: str | None = None, *, durable: bool = True) -> None:
        """Makes a handler a target of `context.invoke(name, ...)`, by default under its own name.

        What decorators and `register()` made known to this process is a target already. `durable=False` is a plain
        `handler(event, lambda_context)`, called once.
        """
        described = describe(handler)
        self._engine.register(replace(described, name=name or described.name, is_durable=durable))

    @property
    def executions(self) -> list[ExecutionUnderTest]:
        """Everything started so far, oldest first; also what is running at this moment, for code inside a handler."""
        return [ExecutionUnderTest(execution, self._engine) for execution in self._engine.executions]

    def find_callback(self, callback_id: str) -> PendingCallback:
        """A callback of any execution of this client, answered or not. Raises `CallbackNotFoundError`."""
        for execution in self._engine.executions:
            for operation in execution.operations:
                if operation.callback_id == callback_id:
                    return PendingCallback(execution, operation)
        raise CallbackNotFoundError("there is no such callback", callback_id=callback_id)

    @property
    def next_moment(self) -> datetime | None:
        """The virtual time at which something will happen by itself; None when only outsiders can go on."""
        return self._engine.next_moment()

    def skip_time(self, duration: Any) -> None:
        """Moves the clock by a `Duration`, `timedelta`, seconds or `{"hours": 72}`; every timer on the way fires at its
        own moment, and what it wakes runs before the next one."""
        self._engine.advance_to(self.now + timedelta(seconds=to_seconds(duration)))

    def crash_after_checkpoints(self, count: int) -> None:
        """The process of the next invocation dies right after its `count`-th checkpoint, then a new one takes over, as after a
        `kill -9`. The next invocation is the one of the next start, answer or passing of time; its end is a checkpoint too."""
        self._engine.crash = Crash(count)

    def crash_before_checkpoints(self, count: int = 1) -> None:
        """The same, right before its `count`-th checkpoint: what was done for that is not recorded."""
        self._engine.crash = Crash(count, is_before=True)


def _engine(clock: VirtualClock, database: bool) -> VirtualEngine:
    if not database:
        return MemoryEngine(clock)
    from execution_engine.testing.database_engine import DatabaseEngine  # in memory the kit needs no Django

    return DatabaseEngine(clock)


def _function_of(handler: Callable[..., Any] | str) -> RegisteredFunction:
    if not isinstance(handler, str):
        return describe(handler)
    found = find_function(handler)
    if found is None:
        raise FunctionNotFoundError(f"no function is registered as {handler!r} in this process", function=handler)
    return found
