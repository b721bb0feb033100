"""Rows that try to break pages: every state, and texts that a careless page would run, cut or choke on."""

import json
from typing import Any
from uuid import uuid4

from django.db import transaction
from django.db.models import QuerySet

from durable_ops.actions.actor import Actor, Channel
from durable_ops.audit import log
from execution_engine.models import Execution, FunctionVersion
from execution_engine.services.executions import start_execution, stop_execution
from tests.durable_ops.journal import open_callback, register_function
from tests.factories import ago, make_callback, make_event, make_execution, make_operation, make_version, make_worker

HOSTILE = (
    "<script>document.title='ran'</script>",
    '"><img src=x onerror="document.title=1">',
    "</script><svg onload=document.title=2>",
    "{{ 7*7 }} {% now %} ${7*7} #{7*7}",
    "javascript:document.title=3",
    "😀👩‍👩‍👧‍👦 \u202eabc\u202c \u05e9\u05dc\u05d5\u05dd \u0645\u0631\u062d\u0628\u0627",
    "a-name-without-any-place-to-break-it-" * 6,
    "%3Cscript%3E &lt;b&gt; &#x27; `backtick` \\u003cscript\\u003e",
)
SCHEMA = {
    "type": "object",
    "properties": {
        HOSTILE[0]: {"type": "string", "description": HOSTILE[1]},
        "count": {"type": "integer"},
        "size": {"enum": [HOSTILE[2], "l"]},
        "fast": {"type": "boolean"},
        "lines": {"type": "array"},
    },
}


def fill() -> Execution:
    """Executions in every state with hostile texts everywhere a text can be; answers one that waits for a callback."""
    version = make_version(description=HOSTILE[0], source=HOSTILE[0] * 3, input_schema=json.dumps(SCHEMA))
    make_worker(version, host=HOSTILE[1] + "/1")
    for number, text in enumerate(HOSTILE):
        _ended(version, number, text)
    make_execution(version, name="queued", due_at=ago(seconds=4))
    make_execution(version, name="paused", status="PAUSED")
    make_execution(make_version(version="9"), name="stranded", due_at=ago())
    make_execution(version, name="claimed", claim_id=uuid4(), due_at=ago(seconds=-20))
    retrying = make_execution(version, name="retrying", due_at=ago(seconds=-50))
    make_operation(retrying, status="PENDING", name=HOSTILE[1], attempt=1, due_at=ago(seconds=-50), payload=json.dumps(HOSTILE))
    _real_ones()
    return _waiting(version)


def _ended(version: FunctionVersion, number: int, text: str) -> None:
    status = ("FAILED", "SUCCEEDED", "STOPPED", "TIMED_OUT")[number % 4]
    error = json.dumps({"ErrorType": text, "ErrorMessage": text, "StackTrace": [text], "ErrorData": text})
    execution = make_execution(
        version, name=text, status=status, status_text=text, started_by=text, ended_at=ago(), input=json.dumps({text: text}),
        result=None if status == "FAILED" else json.dumps(text), error=error if status == "FAILED" else None, attributes={"k": text},
    )  # fmt: skip
    step = make_operation(execution, status=status if status != "STOPPED" else "CANCELLED", name=text, payload=json.dumps({text: [text]}))
    make_event(execution, 1, "ExecutionStarted", ago(seconds=9))
    make_event(execution, 2, "StepSucceeded", ago(seconds=8), operation_id=step.id, details={"RequestId": text})
    act = log.Act("execution.stop", "execution", str(execution.id), execution_id=execution.id, reason=text, facts={"name": text})
    with transaction.atomic():
        log.append(Actor(None, channel=Channel.COMMAND, address=text), act)


def _waiting(version: FunctionVersion) -> Execution:
    waiting: Any = make_execution(version, name="waiting", attributes={"customer": 42}, input=json.dumps(HOSTILE), status_text=HOSTILE[1])
    make_callback(waiting, HOSTILE[2], options={"timeout": 7200, "heartbeat": 3600}, due_at=ago(hours=-1))
    found: Execution = waiting
    return found


def _real_ones() -> None:
    """Two that the engine itself wrote, so that plans and repairs have a history to read."""
    function = register_function("echo")
    open_callback(start_execution(function, json.dumps(HOSTILE[0]), name="asks").id)
    stopped = start_execution(function, json.dumps(HOSTILE[1]), name="stopped").id
    open_callback(stopped)
    stop_execution(stopped)


def failed_for_real(name: str = "expense-7") -> Execution:
    """An execution that can be redriven: the engine stopped it, and it is told as failed with an error."""
    started = start_execution(register_function("echo"), '{"amount": 9}', name=name).id
    open_callback(started)
    stop_execution(started)
    error = json.dumps({"ErrorType": "shop.CardDeclined", "ErrorMessage": "declined"})
    QuerySet(Execution).filter(id=started).update(status="FAILED", error=error)
    return Execution.objects.get(id=started)
