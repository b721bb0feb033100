"""A sink in front of another one; what it does not say itself is the other's answer."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from execution_engine.core.records import OperationRecord, OperationUpdate
from execution_engine.sdk.approval import ApprovalRequest
from execution_engine.sdk.ports import ApprovalPlace
from execution_engine.sdk.sink import Sink

T = TypeVar("T")


class ForwardingSink:
    """`Sink` over a sink. Subclasses override the writes they watch."""

    __slots__ = ("_sink",)

    def __init__(self, sink: Sink) -> None:
        self._sink = sink

    @property
    def execution_id(self) -> UUID:
        return self._sink.execution_id

    @property
    def seed(self) -> UUID:
        """A fork copies its origin's seed; a journal that knows no forks has none."""
        return getattr(self._sink, "seed", None) or self._sink.execution_id

    @property
    def execution_arn(self) -> str:
        return self._sink.execution_arn

    @property
    def operations(self) -> Mapping[str, OperationRecord]:
        return self._sink.operations

    @property
    def started_at(self) -> datetime:
        return self._sink.started_at

    def now(self) -> datetime:
        return self._sink.now()

    def checkpoint(self, *updates: OperationUpdate) -> None:
        self._sink.checkpoint(*updates)

    def hold(self, update: OperationUpdate) -> None:
        self._sink.hold(update)

    def refresh(self) -> None:
        self._sink.refresh()

    def atomic(self, start: OperationUpdate | None, finish: Callable[[], tuple[OperationUpdate, T]]) -> T:
        return self._sink.atomic(start, finish)

    def ask(self, start: OperationUpdate | None, request: ApprovalRequest, place: ApprovalPlace) -> None:
        self._sink.ask(start, request, place)

    def set_status(self, text: str) -> None:
        self._sink.set_status(text)

    def set_attributes(self, attributes: Mapping[str, Any]) -> None:
        self._sink.set_attributes(attributes)
