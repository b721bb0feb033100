"""Tells the plugins of one invocation what happens. A handler without plugins never comes here."""

import logging
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from threading import RLock
from types import FunctionType
from typing import Any, TypeVar

from execution_engine.core.enums import OperationAction, OperationStatus
from execution_engine.core.errors import InvocationInterrupt
from execution_engine.core.records import ErrorObject, OperationRecord, OperationUpdate
from execution_engine.sdk.failures import error_object
from execution_engine.sdk.forwarding import ForwardingSink
from execution_engine.sdk.lambda_context import LambdaContext
from execution_engine.sdk.plugins import (
    InvocationEndInfo,
    InvocationStartInfo,
    OperationChangeInfo,
    OperationEndInfo,
    OperationInfo,
    OperationStartInfo,
    PluginInvocationStatus,
    PropagationInput,
    PropagationMetadata,
    SubType,
    UserFunctionEndInfo,
    UserFunctionOutcome,
    UserFunctionStartInfo,
    describe_operation,
)
from execution_engine.sdk.sink import Sink

T = TypeVar("T")
logger = logging.getLogger(__name__)


class PluginHost(ForwardingSink):
    """A sink that tells plugins what is written through it. Its other methods tell them of what is not written.

    Start and end of an operation are told once each: `_statuses` holds the last status that was told, None when only the START was.
    """

    def __init__(self, plugins: tuple[Any, ...], sink: Sink, context: LambdaContext, event: Any, updated: tuple[str, ...]) -> None:
        super().__init__(sink)
        self._lock = RLock()
        known = dict(sink.operations)
        self._statuses: dict[str, OperationStatus | None] = {id_: record.status for id_, record in known.items()}
        self._unseen = {id_ for id_ in updated if id_ in known}
        self._met: set[str] = set()
        self._start = InvocationStartInfo(
            context.aws_request_id,
            sink.execution_arn,
            not known,
            sink.started_at,
            execution_input=event,
            operations=_infos(known, is_replayed=True),
            start_time=datetime.now(UTC),
            updated_operations=_infos({id_: known[id_] for id_ in self._unseen}, is_replayed=False),
        )
        self._plugins = [made for plugin in plugins if (made := self._made(plugin)) is not None]
        self._tell("on_invocation_start", self._start)

    def end(self, status: PluginInvocationStatus, *, error: Any = None, result: str | None = None) -> None:
        start = self._start
        info = InvocationEndInfo(
            start.request_id,
            start.execution_arn,
            start.is_first_invocation,
            start.execution_start_time,
            execution_input=start.execution_input,
            operations=_infos(self._sink.operations, is_replayed=False),
            start_time=start.start_time,
            status=status,
            error=error,
            execution_result=result,
        )
        self._tell("on_invocation_end", info)

    def meet(self, record: OperationRecord) -> None:
        """The code asks for an operation that an earlier invocation recorded."""
        with self._lock:
            if record.id in self._met:
                return
            self._met.add(record.id)
            is_news = record.id in self._unseen and record.is_terminal
        if is_news:
            self._tell("on_operation_end", OperationEndInfo(**describe_operation(record), is_replayed=False))
        elif not record.is_terminal and record.status is not OperationStatus.READY:
            self._tell("on_operation_start", OperationStartInfo(**describe_operation(record), is_replayed=True))

    def observed(
        self, update: OperationUpdate, body: Callable[..., T], attempt: int | None, *, is_replay_children: bool = False
    ) -> Callable[..., T]:
        """The body of an operation with its two hooks around it, on the thread that runs it."""
        fields: dict[str, Any] = {
            **_identity(update),
            "start_time": datetime.now(UTC),
            "is_replayed": False,
            "status": OperationStatus.STARTED,
            "attempt": attempt,
            "is_replay_children": is_replay_children,
        }

        def run(*arguments: Any) -> T:
            self._tell("on_user_function_start", UserFunctionStartInfo(**fields))
            outcome, error = UserFunctionOutcome.FAILED, None
            try:
                result = body(*arguments)
                outcome = UserFunctionOutcome.SUCCEEDED
                return result
            except InvocationInterrupt:
                outcome = UserFunctionOutcome.INCOMPLETE
                raise
            except BaseException as raised:
                error = error_object(raised)
                raise
            finally:
                ended = {**fields, "end_time": datetime.now(UTC), "error": error, "outcome": outcome}
                self._tell("on_user_function_end", UserFunctionEndInfo(**ended))

        return run

    def end_unwritten(
        self, update: OperationUpdate, status: OperationStatus, error: ErrorObject | None = None, *, is_replayed: bool
    ) -> None:
        """The end of a context that records none: a virtual one, or one that ran again to rebuild its large result."""
        info = OperationEndInfo(
            **_identity(update), start_time=None, end_time=datetime.now(UTC), status=status, error=error, is_replayed=is_replayed
        )
        self._tell("on_operation_end", info)

    def trace_of(self, operation_id: str, function: str, parent_id: str | None) -> str | None:
        """The trace that travels with a chained invoke: the first answer of a plugin that is not blank."""
        asked = PropagationInput(self._sink.execution_arn, operation_id, function, parent_id)
        for answer in self._ask("provide_propagation_metadata", asked):
            if not isinstance(answer, PropagationMetadata):
                if answer is not None:
                    logger.error("provide_propagation_metadata answered %s, not PropagationMetadata; ignored", type(answer).__name__)
            elif (answer.x_amzn_trace_id or "").strip():
                return answer.x_amzn_trace_id
        return None

    def checkpoint(self, *updates: OperationUpdate) -> None:
        self._tell_starts(updates)
        self._sink.checkpoint(*updates)
        self._tell_changes()

    def hold(self, update: OperationUpdate) -> None:
        if update.action is not OperationAction.START:
            self.checkpoint(update)  # a plugin hears of an end when it is durable
            return
        self._tell_starts((update,))
        self._sink.hold(update)

    def refresh(self) -> None:
        self._sink.refresh()
        self._tell_changes()

    def atomic(self, start: OperationUpdate | None, finish: Callable[[], tuple[OperationUpdate, T]]) -> T:
        self._tell_starts(() if start is None else (start,))
        value = self._sink.atomic(start, finish)
        self._tell_changes()
        return value

    def _tell_starts(self, updates: tuple[OperationUpdate, ...]) -> None:
        for update in updates:
            if update.action is not OperationAction.START:
                continue
            with self._lock:
                is_again = update.id in self._statuses
                self._statuses.setdefault(update.id, None)
            info = OperationStartInfo(
                **_identity(update), start_time=self._sink.now(), is_replayed=is_again, status=OperationStatus.STARTED
            )
            self._tell("on_operation_start", info)

    def _tell_changes(self) -> None:
        with self._lock:
            operations = dict(self._sink.operations)
            changed = {id_: record for id_, record in operations.items() if self._statuses.get(id_) is not record.status}
            self._statuses.update({id_: record.status for id_, record in changed.items()})
        if not changed:
            return
        for record in changed.values():
            if record.is_terminal:
                self._met.add(record.id)
                self._tell("on_operation_end", OperationEndInfo(**describe_operation(record), is_replayed=False))
        news = OperationChangeInfo(self._sink.execution_arn, _infos(changed, is_replayed=False), _infos(operations, is_replayed=False))
        self._tell("on_operation_change", news)

    def _made(self, plugin: Any) -> Any:
        """A new instance from a factory, function or class; an object is used as it is."""
        try:
            if hasattr(plugin, "create_plugin"):
                return plugin.create_plugin(self._start)
            if isinstance(plugin, FunctionType):
                return plugin(self._start)
            return plugin() if isinstance(plugin, type) else plugin
        except Exception:
            logger.exception("plugin %r could not be made; the invocation goes on without it", plugin)
            return None

    def _tell(self, hook: str, info: Any) -> None:
        for _ in self._ask(hook, info):
            pass

    def _ask(self, hook: str, info: Any) -> Iterator[Any]:
        for plugin in self._plugins:
            call = getattr(plugin, hook, None)
            if call is None:
                continue
            try:
                answer = call(info)
            except Exception:
                logger.exception("%s of plugin %s raised; ignored", hook, type(plugin).__name__)
                continue
            yield answer


def _infos(records: Mapping[str, OperationRecord], *, is_replayed: bool) -> dict[str, OperationInfo]:
    return {id_: OperationInfo(**describe_operation(record), is_replayed=is_replayed) for id_, record in records.items()}


def _identity(update: OperationUpdate) -> dict[str, Any]:
    return {
        "operation_id": update.id,
        "operation_type": update.type,
        "sub_type": None if update.sub_type is None else SubType(update.sub_type),
        "name": update.name,
        "parent_id": update.parent_id,
    }
