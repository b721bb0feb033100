"""How states, statuses, events and types look: a tone, an icon and a word, never colour alone."""

from execution_engine.selectors.executions import ExecutionSummary
from execution_engine.selectors.explain import StateCode
from execution_engine.selectors.operations import OperationRow

# State -> (tone, icon). Waiting for people, programs and the clock share the tone and differ in icon and word.
STATE_LOOKS: dict[StateCode, tuple[str, str]] = {
    StateCode.QUEUED: ("queued", "queued"),
    StateCode.RUNNING: ("running", "running"),
    StateCode.RETRYING: ("retrying", "retrying"),
    StateCode.POLLING: ("waiting", "again"),
    StateCode.WAITING: ("waiting", "waiting"),
    StateCode.WAITING_FOR_APPROVAL: ("waiting", "person"),
    StateCode.WAITING_FOR_CALLBACK: ("waiting", "person"),
    StateCode.WAITING_FOR_SIGNAL: ("waiting", "signal"),
    StateCode.WAITING_FOR_CHILD: ("waiting", "child"),
    StateCode.PAUSED: ("stopped", "paused"),
    StateCode.STRANDED: ("stranded", "stranded"),
    StateCode.SUCCEEDED: ("succeeded", "succeeded"),
    StateCode.FAILED: ("failed", "failed"),
    StateCode.TIMED_OUT: ("failed", "timed_out"),
    StateCode.STOPPED: ("stopped", "stopped"),
}

STATUS_LOOKS: dict[str, tuple[str, str, str]] = {
    "STARTED": ("running", "running", "Started"),
    "READY": ("queued", "queued", "Ready"),
    "PENDING": ("retrying", "retrying", "Retry pending"),
    "SUCCEEDED": ("succeeded", "succeeded", "Succeeded"),
    "FAILED": ("failed", "failed", "Failed"),
    "TIMED_OUT": ("failed", "timed_out", "Timed out"),
    "CANCELLED": ("stopped", "stopped", "Cancelled"),
    "STOPPED": ("stopped", "stopped", "Stopped"),
}

EVENT_LOOKS = (
    ("Succeeded", ("succeeded", "succeeded")),
    ("Failed", ("failed", "failed")),
    ("TimedOut", ("failed", "timed_out")),
    ("Stopped", ("stopped", "stopped")),
    ("Cancelled", ("stopped", "stopped")),
    ("InvocationCompleted", ("queued", "worker")),
    ("Paused", ("stopped", "paused")),
    ("Resumed", ("running", "running")),
    ("Redriven", ("retrying", "retrying")),
    ("CallbackStarted", ("waiting", "person")),
    ("WaitStarted", ("waiting", "waiting")),
    ("ChainedInvokeStarted", ("waiting", "child")),
    ("Started", ("running", "running")),
)

TYPE_ICONS = {"STEP": "step", "WAIT": "waiting", "CALLBACK": "person", "CONTEXT": "branch", "CHAINED_INVOKE": "child"}


def type_icon(operation: OperationRow) -> str:
    return "signal" if operation.sub_type == "Signal" else TYPE_ICONS.get(operation.type, "step")


def operation_look(operation: OperationRow, execution: ExecutionSummary) -> tuple[str, str, str]:
    """Tone, icon and word. An open callback, wait or invoke waits; only steps and contexts run.

    What is open when its execution ends is recorded no further.
    """
    if operation.is_open and execution.is_terminal:
        return "stopped", "stopped", "Left open"
    if operation.status == "PENDING" and operation.sub_type == "WaitForCondition":
        return "waiting", "again", "Polling"
    if operation.status == "STARTED" and operation.type in ("CALLBACK", "WAIT", "CHAINED_INVOKE"):
        return "waiting", type_icon(operation), "Waiting"
    return STATUS_LOOKS[operation.status]


def event_look(kind: str) -> tuple[str, str]:
    """Tone and icon of a history event."""
    return next((look for ending, look in EVENT_LOOKS if kind.endswith(ending)), ("stopped", "info"))
