"""Examples of the OpenAPI document, by the name of their component; a test holds each against its schema."""

from typing import Any

_ID = "01960f2b-8c1e-7d3a-9f10-2b4c6d8e0f12"
_MOMENT = "2026-11-21T08:30:00.000Z"

EXAMPLES: dict[str, Any] = {
    "StartBody": {
        "function": "expense-approval",
        "name": "expense-4711",
        "input": {"expense_id": "4711", "amount": 120},
        "attributes": {"customer": 42},
    },
    "ManyStartsBody": {
        "executions": [
            {"function": "expense-approval", "name": "expense-4712", "input": {"expense_id": "4712"}},
            {"function": "expense-approval", "name": "expense-4713", "input": {"expense_id": "4713"}},
        ]
    },
    "StopBody": {"reason": "a duplicate of expense-4710"},
    "PauseBody": {"reason": "the bank is closed", "pause_timeout": True},
    "ReasonBody": {"reason": "the bank is open again"},
    "RedriveBody": {"reason": "the address is right now", "from_operation": "1-2", "result": {"street": "Main 1"}},
    "AskBody": {"reason": "the amount was wrong", "input": {"expense_id": "4711", "amount": 121}},
    "ConfirmBody": {"shown": "9f2c4d", "comment": "checked against the receipt"},
    "RejectBody": {"comment": "the receipt says 120"},
    "ForkBody": {"reason": "what if", "from_operation": "1-2", "name": "expense-4711-again"},
    "MoveBody": {"version": "2", "reason": "version 1 is retired"},
    "SignalBody": {"name": "hurry", "payload": {"by": "anna"}},
    "SucceedBody": {"result": {"action": "approved"}},
    "FailBody": {"error": {"ErrorType": "CardDeclined", "ErrorMessage": "the card was declined"}},
    "BatchBody": {"action": "redrive", "filters": {"status": "FAILED", "error": "CardDeclined"}, "reason": "the bank is back"},
    "ConfirmBatchBody": {"reason": "version 1 is retired", "version": "2"},
    "DecideBody": {"approved": True, "comment": "within the budget"},
    "ReassignBody": {"to": ["anna"], "reason": "on holiday"},
    "KeyBody": {"name": "billing", "scopes": ["start_execution", "view_execution"], "functions": ["expense-*"]},
    "RotateBody": {"overlap_hours": 24},
    "CreateScheduleBody": {"name": "close-the-day", "function": "report-export", "cron": "0 18 * * 1-5", "timezone": "Europe/Berlin"},
    "PatchedChangeScheduleBody": {"cron": "30 18 * * 1-5", "reason": "the shops close later"},
    "RangeBody": {"start": "2026-11-01T00:00:00Z", "end": "2026-11-07T00:00:00Z", "dry_run": True},
    "LimitsBody": {"concurrency": 10, "per_key": 1, "reason": "the bank takes ten at a time"},
    "CreateWebhookBody": {"name": "ledger", "url": "https://ledger.example.com/hooks", "events": ["execution.failed"]},
    "PatchedChangeWebhookBody": {"is_active": False, "reason": "the ledger moves"},
    "CreateAlertRuleBody": {"name": "orders fail", "kind": "failed", "functions": "order-*", "threshold": 5, "minutes": 10},
    "PatchedChangeAlertRuleBody": {"threshold": 10, "reason": "too many alarms"},
    "AcceptedDocument": {"callback_id": "Y2FsbGJhY2s", "status": "accepted"},
    "CallbackDocument": {
        "callback_id": "Y2FsbGJhY2s",
        "name": "manager",
        "status": "pending",
        "execution": _ID,
        "execution_name": "expense-4711",
        "function": "expense-approval",
        "version": "1",
        "operation_id": "1-2",
        "sub_type": "Callback",
        "started_at": _MOMENT,
        "due_at": None,
        "timeout_at": None,
        "heartbeat_seconds": None,
    },
    "ManyStartsItemDocument": {
        "status": 201,
        "id": _ID,
        "arn": f"arn:aws:lambda:us-east-1:000000000000:function:expense-approval:1/durable-execution/expense-4711/{_ID}",
        "name": "expense-4711",
        "function": "expense-approval",
        "version": "1",
        "problem": None,
    },
    "ProblemDocument": {
        "type": "urn:durable-ops:problem:execution_already_started",
        "title": "Conflict",
        "status": 409,
        "code": "execution_already_started",
        "detail": "expense-approval has an execution named expense-4711 with another input",
        "execution_id": _ID,
    },
}


def add_examples(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """A hook of the generator."""
    components = result.get("components", {}).get("schemas", {})
    for name, example in EXAMPLES.items():
        if name in components:
            components[name]["example"] = example
    return result
