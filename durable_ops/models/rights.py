"""What a person or key may do, one word each. Django stores them as permissions `durable_ops.<codename>`."""

from enum import StrEnum


class Right(StrEnum):
    VIEW_EXECUTION = "view_execution"
    VIEW_PAYLOAD = "view_payload"
    START_EXECUTION = "start_execution"
    STOP_EXECUTION = "stop_execution"
    SIGNAL_EXECUTION = "signal_execution"
    PAUSE_EXECUTION = "pause_execution"
    REDRIVE_EXECUTION = "redrive_execution"
    REPLACE_VALUE = "replace_value"
    DELETE_EXECUTION = "delete_execution"
    DECIDE_CALLBACK = "decide_callback"
    ANSWER_CALLBACK = "answer_callback"
    REASSIGN_APPROVAL = "reassign_approval"
    VIEW_AUDIT = "view_audit"
    MANAGE_KEYS = "manage_keys"
    MANAGE_PEOPLE = "manage_people"
    MANAGE_PRICES = "manage_prices"

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
    Right.PAUSE_EXECUTION: "Can pause and resume executions",
    Right.REDRIVE_EXECUTION: "Can redrive executions that ended",
    Right.REPLACE_VALUE: "Can replace inputs and saved results in a redrive",
    Right.DELETE_EXECUTION: "Can delete executions that ended",
    Right.DECIDE_CALLBACK: "Can approve and reject",
    Right.ANSWER_CALLBACK: "Can answer callbacks with any result, as a program does",
    Right.REASSIGN_APPROVAL: "Can hand approvals of other people to somebody else",
    Right.VIEW_AUDIT: "Can read the audit log",
    Right.MANAGE_KEYS: "Can make and revoke API keys of other people",
    Right.MANAGE_PEOPLE: "Can give and take roles and keep people out",
    Right.MANAGE_PRICES: "Can add prices to the price book",
}
