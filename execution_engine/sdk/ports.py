"""What the SDK needs from the engine and from the console, bound in their `AppConfig.ready()`.

The SDK imports neither of them, so a function can be written, imported and tested without Django.
"""

from collections.abc import Callable, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, NoReturn, Protocol
from uuid import UUID

from execution_engine.core.enums import ExecutionStatus
from execution_engine.core.errors import DurableExecutionsError
from execution_engine.sdk.approval import ApprovalDecision, ApprovalRequest

Attributes = Mapping[str, str | int | float | bool | None]


class ExecutionHandle(Protocol):
    """A started execution. Each call asks the database; nothing is cached."""

    @property
    def id(self) -> UUID: ...
    @property
    def arn(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def created(self) -> bool:
        """False when an execution with this name and input existed already."""
        ...

    def status(self) -> ExecutionStatus: ...
    def result(self, timeout: Any = None) -> Any:
        """Waits for the end and returns the decoded result. Raises `ExecutionFailedError`, or `TimeoutError`."""
        ...

    def stop(self, reason: str = "") -> None: ...
    def signal(self, name: str, payload: Any = None) -> None: ...


class Launcher(Protocol):
    """Starts executions; inputs are JSON text, None for no input."""

    def start(
        self,
        function: str,
        input_text: str | None,
        *,
        version: str | None = None,
        name: str | None = None,
        attributes: Attributes | None = None,
        concurrency_key: str | None = None,
        priority: int | None = None,
    ) -> ExecutionHandle:
        """Joins the caller's transaction on the default database."""
        ...

    def start_many(self, function: str, input_texts: Sequence[str | None], *, version: str | None = None) -> list[ExecutionHandle]:
        """One statement; joins the caller's transaction."""
        ...

    def run(self, function: str, input_text: str | None, *, version: str | None = None, name: str | None = None) -> ExecutionHandle:
        """Runs in this process until the end or the first suspension. Refuses inside a transaction."""
        ...


@dataclass(frozen=True, slots=True)
class ApprovalPlace:
    """The callback that waits for the decision."""

    execution_id: UUID
    operation_id: str
    name: str | None
    callback_id: str


class ApprovalDesk(Protocol):
    """Asks people and remembers what they answer."""

    def ask(self, request: ApprovalRequest, place: ApprovalPlace) -> None:
        """Stores the question and its mails once per callback id, in the open transaction or, without one, its own.

        Raises `ValidationError` for a group, user or permission that does not exist.
        """
        ...

    def decide(self, callback_id: str, decision: ApprovalDecision) -> None:
        """Records what one person decided (`approved`, `by`, `comment`, `fields`), by the console's own rules; for the testing kit."""
        ...


class _Bound:
    launcher: Launcher | None = None
    approval_desk: ApprovalDesk | None = None
    callback_url: Callable[[str, str], str] | None = None
    after_user_code: Callable[[], None] | None = None
    in_thread: Callable[[Callable[[], None]], Callable[[], None]] | None = None
    transaction_depth: Callable[[], int] | None = None


def bind(
    *,
    launcher: Launcher | None = None,
    approval_desk: ApprovalDesk | None = None,
    callback_url: Callable[[str, str], str] | None = None,
    after_user_code: Callable[[], None] | None = None,
    in_thread: Callable[[Callable[[], None]], Callable[[], None]] | None = None,
    transaction_depth: Callable[[], int] | None = None,
) -> None:
    """Binds what is given and leaves the rest. `callback_url(callback_id, "approve" | "reject")` returns an address.

    `in_thread(call)` is called on the handler's thread and returns what another thread is to run instead of `call`.
    """
    _Bound.launcher = launcher or _Bound.launcher
    _Bound.approval_desk = approval_desk or _Bound.approval_desk
    if callback_url is not None:
        _Bound.callback_url = staticmethod(callback_url)
    if after_user_code is not None:
        _Bound.after_user_code = staticmethod(after_user_code)
    if in_thread is not None:
        _Bound.in_thread = staticmethod(in_thread)
    if transaction_depth is not None:
        _Bound.transaction_depth = staticmethod(transaction_depth)


refusing: ContextVar[Callable[[str], NoReturn] | None] = ContextVar("refusing", default=None)
"""Set while a rehearsal runs: called with what author code was about to do ("starts an execution")."""


def launcher() -> Launcher:
    """Raises `DurableExecutionsError` when the engine is not installed, and whatever a rehearsal raises to stop author code."""
    if (refuse := refusing.get()) is not None:
        refuse("starts an execution")
    if _Bound.launcher is None:
        raise DurableExecutionsError("nothing can be started here: add 'execution_engine' to INSTALLED_APPS and call django.setup()")
    return _Bound.launcher


def approval_desk() -> ApprovalDesk:
    """Raises `DurableExecutionsError` when `durable_ops` is not installed."""
    if _Bound.approval_desk is None:
        raise DurableExecutionsError("wait_for_approval needs the app 'durable_ops': add it to INSTALLED_APPS")
    return _Bound.approval_desk


def callback_url(callback_id: str, decision: str) -> str:
    """Where a signed-in person answers a callback; only a path, without a host, when no address is bound."""
    if _Bound.callback_url is None:
        return f"/callbacks/{callback_id}/{decision}"
    return _Bound.callback_url(callback_id, decision)


def after_user_code() -> None:
    """To be called when a step body, a check or a submitter has returned: the engine then gives Django's connections back to its pool."""
    if _Bound.after_user_code is not None:
        _Bound.after_user_code()


def in_thread(call: Callable[[], None]) -> Callable[[], None]:
    """What the thread of a branch is to run instead of `call`: the engine carries over captured output and connections."""
    return call if _Bound.in_thread is None else _Bound.in_thread(call)


def transaction_depth() -> int:
    """How many nested database transactions are open on this thread; 0 without Django."""
    return 0 if _Bound.transaction_depth is None else _Bound.transaction_depth()
