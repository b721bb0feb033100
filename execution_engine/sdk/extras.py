"""Methods of a context that AWS does not have: signals, approvals, replay-safe time and randomness, status and attributes."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from hashlib import blake2b
from typing import Any
from uuid import UUID

from execution_engine.core.attributes import problem_of
from execution_engine.core.enums import OperationSubType, OperationType
from execution_engine.sdk.approval import ApprovalDecision, make_request
from execution_engine.sdk.durations import MAX_CALLBACK_SECONDS, DurationLike, bounded_seconds
from execution_engine.sdk.errors import ValidationError
from execution_engine.sdk.operations.approval import run_approval
from execution_engine.sdk.operations.signal import run_signal
from execution_engine.sdk.state import ContextPosition
from execution_engine.sdk.types import SignalResult

_CALLBACK = str(OperationSubType.CALLBACK)
_SIGNAL = str(OperationSubType.SIGNAL)
MAX_STATUS_CHARACTERS = 500


class ContextExtras(ContextPosition):
    """Mixed into `DurableContext`, and nothing else."""

    __slots__ = ()

    @property
    def execution_id(self) -> str:
        """The UUID of the execution, as text."""
        return str(self._invocation.execution_id)

    def wait_for_signal(self, name: str, *, timeout: DurationLike | None = None, on_timeout: str | None = None) -> SignalResult:
        """Waits for the oldest signal called `name`; one that was sent earlier is taken from the buffer at once.

        `timeout` is at most 99,999,999 s. When it passes without a signal, raises `SignalTimeoutError`, or returns a signal named
        `on_timeout` if that is given. Recorded: replay gives the same answer.
        """
        seconds = 0 if timeout is None else bounded_seconds(timeout, "timeout", low=1, high=MAX_CALLBACK_SECONDS)
        if not name:
            raise ValidationError("wait_for_signal needs the signal's name")
        return self._perform(OperationType.CALLBACK, _SIGNAL, name, run_signal, seconds, on_timeout)

    def wait_for_approval(
        self,
        name: str,
        *,
        title: str,
        details: Mapping[str, Any] | None = None,
        group: str | Iterable[str] | None = None,
        users: Any = None,
        permission: str | None = None,
        requester: Any = None,
        form: Any = None,
        quorum: int = 1,
        requester_may_approve: bool = False,
        timeout: DurationLike | None = None,
        on_timeout: str | None = None,
        remind_after: DurationLike | None = None,
        escalate_to: str | Iterable[str] | None = None,
        escalate_after: DurationLike | None = None,
        amount: Any = None,
        allow_link_decision: bool = True,
        for_object: Any = None,
    ) -> ApprovalDecision:
        """Asks people, by mail and in the console, and waits suspended until they have decided. Needs the app `durable_ops`.

        On top of a callback and nothing else: recorded, and answered from the record on replay. One rejection decides, `quorum`
        different people have to approve. Without `on_timeout="rejected"` a time-out raises `ApprovalTimeoutError`; silence
        never approves. `group` and `escalate_to` take names of Django groups, `users` and `requester` user names or Django users;
        `docs/wait-for-approval.md` has every option. Raises `ValidationError` for wrong arguments.
        """
        asked = make_request(
            title, details, group, users, permission, requester, quorum, timeout, on_timeout, remind_after, escalate_to,
            escalate_after, amount, for_object, form=form, requester_may_approve=requester_may_approve,
            allow_link_decision=allow_link_decision,
        )  # fmt: skip
        return self._perform(OperationType.CALLBACK, _CALLBACK, name, run_approval, asked)

    def now(self) -> datetime:
        """When the last operation of this context ended, UTC; before the first one, when the execution started. The same on replay."""
        return self._consumed_at()

    def uuid(self) -> UUID:
        """A random-looking UUID (version 4) that is the same on replay and in every attempt of a step."""
        return UUID(bytes=self._draw(16), version=4)

    def random(self) -> float:
        """A number from 0 up to 1 that is the same on replay and in every attempt of a step."""
        return (int.from_bytes(self._draw(8), "big") >> 11) * 2.0**-53

    def set_status(self, text: str) -> None:
        """Tells people in a few words (up to 500 characters) what the execution is doing; stored with the next checkpoint."""
        if not self._is_replaying:
            self._invocation.sink.set_status(str(text)[:MAX_STATUS_CHARACTERS])

    def set_attributes(self, attributes: Mapping[str, str | int | float | bool | None] | None = None, **more: Any) -> None:
        """Merges attributes by which executions can be searched; bounds in `core.attributes`. Stored with the next checkpoint."""
        merged = {**(attributes or {}), **more}
        if (problem := problem_of(merged)) is not None:
            raise ValidationError(problem)
        if not self._is_replaying:
            self._invocation.sink.set_attributes(merged)

    def _draw(self, size: int) -> bytes:
        """Bytes from the seed, this context, the number of operations finished in it, and the draws since.

        Counting draws per operation keeps a draw inside a step body, which does not run on replay, from shifting later ones.
        """
        self._draws += 1
        text = f"{self._invocation.seed}/{self._prefix or ''}/{self._finished}/{self._draws}"
        return blake2b(text.encode(), digest_size=size).digest()
