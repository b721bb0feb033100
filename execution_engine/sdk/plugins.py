"""What instrumentation plugins are told, under AWS's names, and how plugins are found."""

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import Enum, StrEnum
from importlib.metadata import entry_points
from typing import Any, Protocol

from execution_engine.core.enums import OperationStatus, OperationType
from execution_engine.core.records import ErrorObject, OperationRecord
from execution_engine.sdk.errors import PluginLoadError

ENTRY_POINT_GROUP = "aws_durable_execution.plugins"
# AWS's own variable: it is read where a handler is decorated, before any settings exist.
ENVIRONMENT_VARIABLE = "DURABLE_EXECUTION_PLUGINS"


class SubType(str):
    """A sub type as text that also answers `.name` and `.value`, as AWS's enum does."""

    __slots__ = ()

    @property
    def value(self) -> str:
        return str.__str__(self)

    @property
    def name(self) -> str:
        return "".join(f"_{letter}" if letter.isupper() and place else letter for place, letter in enumerate(self)).upper()


class PluginInvocationStatus(StrEnum):
    """How an invocation ended; RETRY is a failed one that is tried again."""

    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    PENDING = "PENDING"
    RETRY = "RETRY"


class UserFunctionOutcome(Enum):
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    INCOMPLETE = "INCOMPLETE"


@dataclass(frozen=True)
class OperationInfo:
    """An operation at one moment; `attempt` of steps only. `result` is the serialized text."""

    operation_id: str
    operation_type: OperationType
    sub_type: SubType | None
    name: str | None
    parent_id: str | None
    start_time: datetime | None
    is_replayed: bool
    status: OperationStatus
    end_time: datetime | None = field(default=None, kw_only=True)
    result: str | None = field(default=None, kw_only=True, repr=False)
    error: ErrorObject | None = field(default=None, kw_only=True)
    attempt: int | None = field(default=None, kw_only=True)


@dataclass(frozen=True)
class OperationStartInfo(OperationInfo):
    pass


@dataclass(frozen=True)
class OperationEndInfo(OperationInfo):
    pass


@dataclass(frozen=True)
class OperationChangeInfo:
    execution_arn: str | None
    updated_operations: dict[str, OperationInfo]
    operations: dict[str, OperationInfo]


@dataclass(frozen=True)
class UserFunctionStartInfo(OperationInfo):
    """`is_replay_children`: the body runs only to rebuild a large result."""

    is_replay_children: bool = False


@dataclass(frozen=True)
class UserFunctionEndInfo(OperationInfo):
    """INCOMPLETE when the body suspended."""

    is_replay_children: bool = False
    outcome: UserFunctionOutcome = UserFunctionOutcome.SUCCEEDED


@dataclass(frozen=True)
class InvocationInfo:
    request_id: str | None
    execution_arn: str | None
    is_first_invocation: bool
    execution_start_time: datetime | None = None
    execution_input: Any = field(default=None, kw_only=True, repr=False)
    operations: dict[str, OperationInfo] = field(default_factory=dict, kw_only=True, repr=False)
    start_time: datetime | None = field(default=None, kw_only=True)


@dataclass(frozen=True)
class InvocationStartInfo(InvocationInfo):
    """`updated_operations`: what outsiders or time completed since the last invocation."""

    updated_operations: dict[str, OperationInfo] = field(default_factory=dict, kw_only=True, repr=False)


@dataclass(frozen=True)
class InvocationEndInfo(InvocationInfo):
    status: PluginInvocationStatus = field(kw_only=True)
    error: ErrorObject | None = field(default=None, kw_only=True)
    execution_result: str | None = field(default=None, kw_only=True, repr=False)
    end_time: datetime = field(default_factory=lambda: datetime.now(UTC), kw_only=True)


@dataclass(frozen=True)
class PropagationInput:
    """A chained invoke about to be started; a replayed one asks nobody."""

    execution_arn: str
    operation_id: str
    target_function_name: str
    parent_operation_id: str | None = None


@dataclass(frozen=True)
class PropagationMetadata:
    """What a plugin wants to travel with a chained invoke. It is recorded with the operation as it is given."""

    x_amzn_trace_id: str | None = None


class DurableInstrumentationPlugin:
    """Override what you need. Hooks run synchronously; what they raise is logged and changes nothing."""

    def on_invocation_start(self, info: InvocationStartInfo) -> None: ...
    def on_invocation_end(self, info: InvocationEndInfo) -> None: ...
    def on_operation_start(self, info: OperationStartInfo) -> None: ...
    def on_operation_end(self, info: OperationEndInfo) -> None: ...
    def on_operation_change(self, info: OperationChangeInfo) -> None: ...
    def on_user_function_start(self, info: UserFunctionStartInfo) -> None: ...
    def on_user_function_end(self, info: UserFunctionEndInfo) -> None: ...
    def provide_propagation_metadata(self, info: PropagationInput) -> PropagationMetadata | None: ...


class DurableInstrumentationPluginFactory(Protocol):
    """Makes one plugin per invocation."""

    def create_plugin(self, info: InvocationStartInfo) -> DurableInstrumentationPlugin: ...


def plugins_of(given: Sequence[Any] | None) -> tuple[Any, ...]:
    """The plugins and factories of a handler, with those that the environment names. Raises `PluginLoadError`."""
    names = [name.strip() for name in os.environ.get(ENVIRONMENT_VARIABLE, "").split(",") if name.strip()]
    return (*(given or ()), *_loaded(names))


def _loaded(names: Iterable[str]) -> list[Any]:
    found: list[Any] = []
    for name in names:
        points = [point for point in entry_points(group=ENTRY_POINT_GROUP) if point.name == name]
        if not points:
            raise PluginLoadError(f"{ENVIRONMENT_VARIABLE} names the plugin {name!r}, which no installed package offers")
        try:
            found.append(points[0].load())
        except Exception as error:
            raise PluginLoadError(f"the plugin {name!r} cannot be loaded: {error}") from error
    return found


def describe_operation(record: OperationRecord) -> dict[str, Any]:
    """The fields of an `OperationInfo` from a record, but `is_replayed`."""
    return {
        "operation_id": record.id,
        "operation_type": record.type,
        "sub_type": None if record.sub_type is None else SubType(record.sub_type),
        "name": record.name,
        "parent_id": record.parent_id,
        "start_time": record.started_at,
        "status": record.status,
        "end_time": record.ended_at,
        "result": record.payload,
        "error": record.error,
        "attempt": record.attempt if record.type is OperationType.STEP else None,
    }
