"""What an author may set on an operation, under AWS's names; ours are marked."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Generic, TypeVar

from execution_engine.core.serdes import SerDes
from execution_engine.sdk.durations import MAX_CALLBACK_SECONDS, Duration, bounded_seconds
from execution_engine.sdk.errors import ValidationError
from execution_engine.sdk.retries import RetryStrategy

T = TypeVar("T")
_SUB_TYPE = re.compile(r"[A-Za-z0-9_-]{1,32}")


class StepSemantics(Enum):
    """What an interrupted attempt does: run again, or count as failed with `StepInterruptedError`."""

    AT_MOST_ONCE_PER_RETRY = "AT_MOST_ONCE_PER_RETRY"
    AT_LEAST_ONCE_PER_RETRY = "AT_LEAST_ONCE_PER_RETRY"


def _check_sub_type(sub_type: str | None) -> None:
    if sub_type and not _SUB_TYPE.fullmatch(sub_type):
        raise ValidationError(f"sub_type must be 1 to 32 characters of A-Z a-z 0-9 _ -, got {sub_type!r}")


@dataclass(frozen=True, slots=True)
class StepConfig:
    """`atomic=True` (ours): the step's Django writes on the default database and its checkpoint are one commit, so the
    step takes effect exactly once. Another alias is refused with `ValidationError`."""

    retry_strategy: RetryStrategy | None = None
    step_semantics: StepSemantics = StepSemantics.AT_LEAST_ONCE_PER_RETRY
    serdes: SerDes[Any] | None = None
    sub_type: str | None = field(default=None, kw_only=True)
    atomic: bool | str = field(default=False, kw_only=True)

    def __post_init__(self) -> None:
        _check_sub_type(self.sub_type)
        if self.atomic not in (False, True, "default"):
            raise ValidationError(
                f"StepConfig.atomic works on the database 'default' only, because the checkpoint is there; got {self.atomic!r}"
            )


@dataclass(frozen=True)
class ChildConfig(Generic[T]):
    """`summary_generator(result) -> str` writes the payload of a result above 256 KiB. `is_virtual` groups operations
    without recording a CONTEXT."""

    serdes: SerDes[T] | None = None
    sub_type: str | None = None
    summary_generator: Callable[[T], str] | None = None
    is_virtual: bool = False

    def __post_init__(self) -> None:
        _check_sub_type(self.sub_type)


@dataclass(frozen=True)
class CallbackConfig:
    """A zero timeout is none; at most 99,999,999 s."""

    timeout: Duration = field(default_factory=Duration)
    heartbeat_timeout: Duration = field(default_factory=Duration)
    serdes: SerDes[Any] | None = None
    sub_type: str | None = field(default=None, kw_only=True)

    def __post_init__(self) -> None:
        _check_sub_type(self.sub_type)
        bounded_seconds(self.timeout, "timeout", low=0, high=MAX_CALLBACK_SECONDS)
        bounded_seconds(self.heartbeat_timeout, "heartbeat_timeout", low=0, high=MAX_CALLBACK_SECONDS)

    @property
    def timeout_seconds(self) -> int:
        return bounded_seconds(self.timeout, "timeout", low=0, high=MAX_CALLBACK_SECONDS)

    @property
    def heartbeat_timeout_seconds(self) -> int:
        return bounded_seconds(self.heartbeat_timeout, "heartbeat_timeout", low=0, high=MAX_CALLBACK_SECONDS)


@dataclass(frozen=True)
class WaitForCallbackConfig(CallbackConfig):
    """`retry_strategy` is the submitter's."""

    retry_strategy: RetryStrategy | None = None


DEFAULT_STEP = StepConfig()
DEFAULT_CHILD: ChildConfig[Any] = ChildConfig()
