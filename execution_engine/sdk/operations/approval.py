"""wait_for_approval: a callback that people decide. Replay, history and AWS's tools see an ordinary callback."""

from execution_engine.core.enums import OperationStatus
from execution_engine.core.identifiers import new_callback_id
from execution_engine.core.records import OperationOptions, OperationRecord
from execution_engine.sdk import ports
from execution_engine.sdk.approval import ApprovalDecision, ApprovalRequest
from execution_engine.sdk.errors import ApprovalTimeoutError, CallbackExternalError
from execution_engine.sdk.key import OperationKey
from execution_engine.sdk.operations.base import START, suspend_for
from execution_engine.sdk.ports import ApprovalPlace
from execution_engine.sdk.state import ContextPosition


def run_approval(context: ContextPosition, key: OperationKey, request: ApprovalRequest) -> ApprovalDecision:  # noqa: ARG001
    """The START, the question and its mails are one commit; a callback that a redrive or a fork gave a new id is asked anew."""
    try:
        _ask(key, request)
    finally:
        ports.after_user_code()
    record = key.recorded()
    if not record.is_terminal:
        suspend_for(key, record)
    return _decision(key, record, request)


def _ask(key: OperationKey, request: ApprovalRequest) -> None:
    found = key.found
    if found is None:
        callback_id = new_callback_id()
        start = key.update(START, options=OperationOptions(timeout=request.timeout, approval=callback_id))
        key.sink.ask(start, request, _place(key, callback_id))
    elif found.callback_id is not None and not found.is_terminal:
        # Asked already, unless a stop and a redrive, or a fork, have come in between.
        key.sink.ask(None, request, _place(key, found.callback_id))


def _place(key: OperationKey, callback_id: str) -> ApprovalPlace:
    return ApprovalPlace(key.sink.execution_id, key.id, key.name, callback_id)


def _decision(key: OperationKey, record: OperationRecord, request: ApprovalRequest) -> ApprovalDecision:
    if record.status is OperationStatus.SUCCEEDED:
        return ApprovalDecision.from_text(record.payload)
    message = record.error.message if record.error else None
    if record.status is not OperationStatus.TIMED_OUT:
        raise CallbackExternalError(message or "the approval failed")
    if request.is_rejected_by_timeout:
        return ApprovalDecision(approved=False, comment="nobody decided in time", decided_at=record.ended_at, timed_out=True)
    raise ApprovalTimeoutError(f"nobody decided {key.name or request.title!r} within {record.options.timeout} seconds")
