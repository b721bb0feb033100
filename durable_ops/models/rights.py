"""What a person or key may do, one word each. Django stores them as permissions `durable_ops.<codename>`."""

from enum import StrEnum


class Right(StrEnum):
    VIEW_EXECUTION = "view_execution"
    VIEW_PAYLOAD = "view_payload"
    START_EXECUTION = "start_execution"
    STOP_EXECUTION = "stop_execution"
    SIGNAL_EXECUTION = "signal_execution"
    DECIDE_CALLBACK = "decide_callback"
    ANSWER_CALLBACK = "answer_callback"
    VIEW_AUDIT = "view_audit"
    MANAGE_KEYS = "manage_keys"

    @property
    def permission(self) -> str:
        """The name that `user.has_perm` takes."""
        return f"durable_ops.{self.value}"


RIGHT_LABELS = {
    Right.VIEW_EXECUTION: "Can see executions, operations, history and pending callbacks, without payloads",
    Right.VIEW_PAYLOAD: "Can read inputs, results, errors and event payloads",
    Right.START_EXECUTION: "Can start executions",
    Right.STOP_EXECUTION: "Can stop executions",
    Right.SIGNAL_EXECUTION: "Can send signals to executions",
    Right.DECIDE_CALLBACK: "Can approve and reject",
    Right.ANSWER_CALLBACK: "Can answer callbacks with any result, as a program does",
    Right.VIEW_AUDIT: "Can read the audit log",
    Right.MANAGE_KEYS: "Can make and revoke API keys of other people",
}
