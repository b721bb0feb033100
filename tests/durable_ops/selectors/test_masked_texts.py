"""A masked value that a handler repeated in its texts is masked there too, at every door that shows them."""

import json
from typing import Any
from urllib.parse import quote

import pytest
from django.db import models
from django.test import Client

from durable_ops.models import Protection
from execution_engine.core.identifiers import execution_arn
from execution_engine.models import Execution, LogLine
from execution_engine.selectors.texts import stored_texts
from tests.durable_ops.people import bearer, make_user
from tests.factories import ago, make_callback, make_event, make_execution, make_operation, make_version

pytestmark = pytest.mark.django_db
SECRET, LATER = "4111 2222 3333", "pin-of-a-step"


@pytest.fixture
def execution() -> Execution:
    """Its input and the result of a step hold a masked value each; status, log line and error repeat both."""
    Protection.objects.create(pattern="pay", masked=["card", "pin"])
    text = f"declined {SECRET} and {LATER}"
    error = json.dumps({"ErrorType": "Declined", "ErrorMessage": text, "StackTrace": [f"at {text}"]})
    made = make_execution(
        make_version("pay"), name="one", status="FAILED", ended_at=ago(), status_text=text, error=error, event_seq=3,
        input=json.dumps({"card": SECRET}), attributes={"note": text},
    )  # fmt: skip
    make_event(made, 1, "ExecutionStarted", ago(minutes=1))
    step = make_operation(made, status="SUCCEEDED", payload=json.dumps({"pin": LATER}), start_event=2)
    make_event(made, 3, "ExecutionFailed", ago())
    models.Model.save(LogLine(execution_id=made.id, operation_id=step.id, at=ago(), level="ERROR", message=text))
    return made


def addresses(execution: Execution) -> list[str]:
    arn = quote(execution_arn("us-east-1", "000000000000", "pay", "1", "one", execution.id), safe="")
    place = f"/executions/{execution.id}"
    tabs = [f"{place}/?tab={tab}" for tab in ("data", "logs", "history", "operations")]
    console = ["/", "/executions/", "/functions/pay/", f"{place}/", *tabs]
    raw = [f"{place}/payload/error/", f"{place}/history.json"]
    rest = ["/executions", *(f"{place}{part}" for part in ("", "/history", "/logs", "/explain"))]
    lambda_api = [f"/2025-12-01/durable-executions/{arn}{part}" for part in ("", "/history")]
    return [*console, *raw, *(f"/api/v1{path}" for path in rest), *lambda_api]


def readable(role: str, execution: Execution) -> dict[str, str]:
    user = make_user(role)
    console, program = Client(), Client(headers=bearer(user))
    console.force_login(user)
    found = {}
    for address in addresses(execution):
        answer = (program if address.startswith(("/api", "/20")) else console).get(address)
        body = b"".join(answer.streaming_content) if answer.streaming else answer.content  # type: ignore[attr-defined]
        found[address] = f"{answer.status_code} {body.decode()}"
    return found


def test_no_door_shows_it_to_whom_it_is_masked_for(execution: Execution) -> None:
    for address, text in readable("viewer", execution).items():
        assert text.startswith("200"), (address, text[:300])
        assert SECRET not in text, address
        assert LATER not in text, address


def test_whoever_may_see_it_does(execution: Execution) -> None:
    shown = readable("administrator", execution)
    assert {address for address, text in shown.items() if SECRET in text} >= {
        f"/executions/{execution.id}/", f"/api/v1/executions/{execution.id}", f"/api/v1/executions/{execution.id}/logs",
    }  # fmt: skip


def test_callbacks_say_no_masked_value_either(execution: Execution) -> None:
    waiting = make_execution(make_version("pay", "2"), status_text=f"asks about {SECRET}", input=json.dumps({"card": SECRET}))
    make_callback(waiting)
    client = Client()
    client.force_login(make_user("viewer"))
    for address in ("/callbacks/", "/"):
        assert SECRET not in client.get(address).content.decode()


def test_more_than_may_be_read_is_left_out(execution: Execution) -> None:
    def found(**most: Any) -> list[str] | None:
        return stored_texts([execution.id], **{"most_bytes": 10_000, "most_rows": 10, **most}).get(execution.id)

    assert len(found() or ()) == 4  # attributes, input, error, and the step's payload
    assert (found(most_bytes=100), found(most_rows=1)) == (None, None)
    assert stored_texts([], most_bytes=1, most_rows=1) == {}
