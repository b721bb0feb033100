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
    MANAGE_SCHEDULES = "manage_schedules"
    MANAGE_LIMITS = "manage_limits"
    MANAGE_WEBHOOKS = "manage_webhooks"
    MANAGE_PROTECTION = "manage_protection"
    VIEW_MASKED = "view_masked"
    CONFIRM_REDRIVE = "confirm_redrive"
    CHECKPOINT_EXECUTION = "checkpoint_execution"

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
    Right.MANAGE_SCHEDULES: "Can add, change, pause and trigger schedules",
    Right.MANAGE_LIMITS: "Can change limits of concurrency, rate and priority",
    Right.MANAGE_WEBHOOKS: "Can add and change webhooks and alert rules",
    Right.MANAGE_PROTECTION: "Can name masked fields, and functions whose edited redrives need a second person",
    Right.VIEW_MASKED: "Can read the fields of payloads that are masked for others",
    Right.CONFIRM_REDRIVE: "Can confirm edited redrives that somebody else asked for",
    Right.CHECKPOINT_EXECUTION: "Can load and checkpoint executions, as remote functions do",
}

OF_NO_FUNCTION = frozenset({Right.MANAGE_KEYS, Right.MANAGE_PEOPLE, Right.MANAGE_PRICES, Right.MANAGE_WEBHOOKS, Right.MANAGE_PROTECTION})
"""Rights that cannot be limited to functions: whoever may change people could lift every limit. A limited group does not give them."""
