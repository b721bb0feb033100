"""Who speaks in a function of AWS's SDK: the handler, a context or an attempt of a step, and whether it said the same before."""

import functools
from collections.abc import Callable
from typing import Any

from aws_durable_execution_sdk_python.context import DurableContext
from aws_durable_execution_sdk_python.identifier import OperationIdentifier
from aws_durable_execution_sdk_python.lambda_service import OperationType

from execution_engine.invocation.aws_rehearsal import WatchedState
from execution_engine.sdk import ports
from execution_engine.sdk.speaker import Speaker, speaker


class SpeakingState(WatchedState):
    """AWS's state of an invocation, which runs all code of the author."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._contexts: dict[str, DurableContext] = {}

    def wrap_user_function(
        self,
        user_function: Callable[..., Any],
        operation_identifier: OperationIdentifier,
        is_replay_children: bool = False,
        attempt: int | None = None,
    ) -> Callable[..., Any]:
        run = super().wrap_user_function(user_function, operation_identifier, is_replay_children, attempt)
        operation_id = operation_identifier.operation_id
        is_context = operation_identifier.operation_type is OperationType.CONTEXT

        def said_before() -> bool:
            context = self._contexts.get(operation_id)
            return is_context and context is not None and context.is_replaying()

        @functools.wraps(user_function)
        def speaking(*args: Any, **kwargs: Any) -> Any:
            spoke = speaker.set(Speaker(operation_id, None if is_context else attempt, said_before))
            try:
                return run(*args, **kwargs)
            finally:
                speaker.reset(spoke)
                self._contexts.pop(operation_id, None)
                if not is_context:
                    ports.after_user_code()

        return speaking

    def hear(self, context: DurableContext) -> None:
        """Learns of the contexts that are made inside `context`: only they know whether they replay."""
        create = context.create_child_context

        def create_child_context(operation_id: str, *, is_virtual: bool = False) -> DurableContext:
            child = self._contexts[operation_id] = create(operation_id, is_virtual=is_virtual)
            self.hear(child)
            return child

        vars(context)["create_child_context"] = create_child_context


class SpeakingContext:
    """Stands where AWS's runner makes the handler's context. The context itself is AWS's."""

    @staticmethod
    def from_lambda_context(state: SpeakingState, *args: Any, **kwargs: Any) -> DurableContext:
        context: DurableContext = DurableContext.from_lambda_context(state, *args, **kwargs)
        speaker.set(Speaker(is_replaying=context.is_replaying))
        state.hear(context)
        return context
