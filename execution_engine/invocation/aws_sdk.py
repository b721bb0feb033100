"""Functions decorated with AWS's own, unmodified Python SDK, run in this process and directly on the journal.

The SDK takes its service client from the invocation's input. The one here answers from the sink, so there is no HTTP and there are no
credentials. Only the SDK's checkpoint thread calls it.
"""

from collections.abc import Sequence
from dataclasses import replace

from aws_durable_execution_sdk_python import execution as aws_execution
from aws_durable_execution_sdk_python import lambda_service as aws
from aws_durable_execution_sdk_python.exceptions import CheckpointError as AwsCheckpointError
from aws_durable_execution_sdk_python.exceptions import DurableApiErrorCategory

from execution_engine.core.enums import InvocationStatus, OperationType
from execution_engine.core.errors import DurableExecutionsError, InvocationInterrupt
from execution_engine.core.records import OperationRecord, OperationUpdate
from execution_engine.core.transitions import calls
from execution_engine.core.transitions.execution import EXIT_ERROR
from execution_engine.invocation import aws_names, aws_values
from execution_engine.invocation.answers import read_answer
from execution_engine.sdk.definition import RegisteredFunction
from execution_engine.sdk.lambda_context import LambdaContext
from execution_engine.sdk.runner import HandlerOutcome
from execution_engine.sdk.sink import Sink
from execution_engine.sdk.speaker import speaker
from execution_engine.sdk.suspend import SuspendExecution

aws_names.put()


class JournalClient:
    """AWS's `DurableServiceClient` over a sink. Its token is a counter: inside the process, the claim does the token's work."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self.watch = getattr(sink, "witness", None)
        self._told: dict[str, OperationRecord] = dict(sink.operations)
        self._open = {record.id for record in self._told.values() if not record.is_terminal}
        self._calls = 0
        self.interrupt: InvocationInterrupt | None = None
        self.ended: OperationUpdate | None = None

    def checkpoint(
        self,
        durable_execution_arn: str,  # noqa: ARG002
        checkpoint_token: str,  # noqa: ARG002
        updates: list[aws.OperationUpdate],
        client_token: str | None,  # noqa: ARG002
    ) -> aws.CheckpointOutput:
        """An answer without a token tells the SDK that this invocation can record nothing more: it unwinds and answers PENDING."""
        asked = [aws_values.from_aws(update) for update in updates]
        if asked and asked[-1].type is OperationType.EXECUTION:
            self.ended = asked.pop()
        waits = self.ended is not None or calls.is_waited_for(asked)
        try:
            self._write(asked, tells=waits and not self._is_concurrent())
        except InvocationInterrupt as interrupt:
            self.interrupt = interrupt
            return aws.CheckpointOutput(None, aws.CheckpointUpdatedExecutionState())
        except DurableExecutionsError as error:
            raise AwsCheckpointError(str(error), DurableApiErrorCategory.EXECUTION) from error
        changed = self._changed({update.id for update in asked}, with_news=waits)
        self._calls += 1
        token = None if self.ended is not None else str(self._calls)
        return aws.CheckpointOutput(token, aws.CheckpointUpdatedExecutionState([aws_values.to_aws(one) for one in changed]))

    def get_execution_state(
        self,
        durable_execution_arn: str,  # noqa: ARG002
        checkpoint_token: str,  # noqa: ARG002
        next_marker: str,  # noqa: ARG002
        max_items: int = 1000,  # noqa: ARG002
    ) -> aws.StateOutput:
        """Never called: the first page holds everything."""
        return aws.StateOutput()

    def _write(self, asked: list[OperationUpdate], *, tells: bool) -> None:
        if not asked:
            self._sink.refresh()
        write = self._sink.checkpoint if tells else getattr(self._sink, "record", self._sink.checkpoint)
        for call in aws_values.in_calls(asked):
            write(*call)

    def _changed(self, asked: set[str], *, with_news: bool) -> list[OperationRecord]:
        """What the SDK has not seen: its own updates, and with them what outsiders and time changed. A batch that nobody waits for
        brings no news, since the handler may already have looked and be about to suspend: it stays owed."""
        operations = self._sink.operations
        candidates = asked | self._open if with_news else asked
        changed = [operations[one] for one in candidates if operations[one] is not self._told.get(one)]
        for record in changed:
            self._told[record.id] = record
            (self._open.discard if record.is_terminal else self._open.add)(record.id)
        return sorted(changed, key=lambda record: record.start_event)

    def _is_concurrent(self) -> bool:
        """With branches, news that one of them brings may concern another that has looked already: it stays owed as well."""
        return any(self._told[one].type is OperationType.CONTEXT and self._told[one].sub_type in calls.BRANCHING for one in self._open)


def run_aws_handler(
    function: RegisteredFunction,
    sink: Sink,
    event_text: str | None,
    *,
    updated_operation_ids: Sequence[str] = (),
    is_replaying: bool,  # noqa: ARG001
    lambda_context: LambdaContext | None = None,
) -> HandlerOutcome:
    """`sdk.runner.run_handler` for a function of AWS's SDK, with the same arguments and outcome."""
    client = JournalClient(sink)
    operations = sorted(sink.operations.values(), key=lambda record: record.start_event)
    first = aws_values.execution_operation(sink.execution_arn, sink.started_at, event_text)
    state = aws_execution.InitialExecutionState([first, *map(aws_values.to_aws, operations)], "")
    event = aws_execution.DurableExecutionInvocationInputWithClient(
        sink.execution_arn, "0", state, updated_operation_ids=list(updated_operation_ids), service_client=client
    )
    context = lambda_context or LambdaContext.of(function, sink.execution_arn)
    spoke = speaker.set(None)
    try:
        answer = function.handler(event, context)
    except SystemExit as error:
        exited = replace(EXIT_ERROR, message=f"the handler called sys.exit({error.code!r})")
        return HandlerOutcome(InvocationStatus.FAILED, error=exited, invocation_failed=True)
    except Exception as error:
        found = aws_values.error_from_aws(aws.ErrorObject.from_exception(error))
        return HandlerOutcome(InvocationStatus.FAILED, error=found, invocation_failed=True)
    finally:
        speaker.reset(spoke)
    if client.interrupt is not None and not isinstance(client.interrupt, SuspendExecution):
        raise client.interrupt
    return read_answer(answer, client.ended)
