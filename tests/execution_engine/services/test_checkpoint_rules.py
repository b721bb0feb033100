"""Every rule of a checkpoint call: refused whole, with a text that says why, and nothing is written."""

from dataclasses import replace
from typing import Any

import pytest

from execution_engine.conf import engine_settings
from execution_engine.core import wire
from execution_engine.core.errors import CommandError, InvalidInputError, InvalidParameterValueError
from execution_engine.core.records import ErrorObject, OperationOptions, OperationUpdate
from execution_engine.models import Event, Execution, Operation
from execution_engine.services import checkpoints
from tests.execution_engine.services.caller import FUNCTION, Caller, callback, claim, context, invoke, step, update, wait

Updates = tuple[OperationUpdate, ...]


pytestmark = pytest.mark.usefixtures("no_connections_left")


@pytest.fixture
def caller() -> Caller:
    """With a step that runs, one that has ended, an open context, one that has ended with a step inside, and a wait."""
    found = claim()
    found.call(
        step("START", "open", sub_type="Step", name="charge"),
        step("START", "done"),
        context("START", "parent"),
        step("START", "inside", parent_id="parent"),
        context("START", "closed"),
        step("START", "orphan", parent_id="closed"),
        wait("timer"),
        callback("answer"),
    )
    found.call(step("SUCCEED", "done"), context("SUCCEED", "closed"))
    return found


def execution_end(action: str = "SUCCEED", **fields: Any) -> OperationUpdate:
    return update("EXECUTION", action, "result-1", **fields)


ERROR = ErrorObject("no", "No")
DELAY = OperationOptions(delay=5)

REFUSED: dict[str, tuple[Updates, str]] = {
    "EXECUTION not last": ((execution_end(), step("START", "n")), "must be the last"),
    "EXECUTION twice": ((execution_end(), execution_end()), "must be the last"),
    "EXECUTION retried": ((execution_end("RETRY"),), "takes FAIL, SUCCEED only"),
    "two ends of a step": ((step("START", "n"), step("SUCCEED", "n"), step("FAIL", "n")), "more than one update"),
    "end before start": ((step("SUCCEED", "open"), step("START", "open")), "more than one update"),
    "two starts": ((context("START", "n"), context("START", "n")), "more than one update"),
    "start and cancel of a wait": ((wait("n"), update("WAIT", "CANCEL", "n")), "more than one update"),
    "unknown parent": ((step("START", "n", parent_id="nobody"),), "names no operation"),
    "parent started later": ((step("START", "n", parent_id="p"), context("START", "p")), "names no operation"),
    "its own parent": ((context("START", "n", parent_id="n"),), "names no operation"),
    "parent is a step": ((step("START", "n", parent_id="open"),), "is a STEP, not a CONTEXT"),
    "parent has ended": ((step("START", "n", parent_id="closed"),), "context closed, which has ended"),
    "parent ends in this call": ((context("SUCCEED", "parent"), step("START", "n", parent_id="parent")), "which has ended"),
    "recorded parent has ended": ((step("SUCCEED", "orphan"),), "context closed, which has ended"),
    "grandparent has ended": (
        (context("START", "n", parent_id="parent"), context("SUCCEED", "parent"), step("START", "m", parent_id="n")),
        "context parent, which has ended",
    ),
    "another type": ((context("SUCCEED", "open"),), "has Type CONTEXT, recorded is STEP"),
    "another sub type": ((step("SUCCEED", "open", sub_type="Other"),), "has SubType Other, recorded is Step"),
    "another name": ((step("SUCCEED", "open", name="refund"),), "has Name refund, recorded is charge"),
    "another parent": ((step("SUCCEED", "open", parent_id="parent"),), "has ParentId parent, recorded is none"),
    "another name in one call": ((step("START", "n", name="a"), step("SUCCEED", "n", name="b")), "has Name b, recorded is a"),
    "step started twice": ((step("START", "open"),), "not allowed from STARTED"),
    "step started after its end": ((step("START", "done"),), "not allowed from SUCCEEDED"),
    "step ended twice": ((step("SUCCEED", "done"),), "not allowed from SUCCEEDED"),
    "step never started": ((step("SUCCEED", "n"),), "not allowed from nothing recorded"),
    "step cancelled": ((step("CANCEL", "open"),), "takes FAIL, RETRY, START, SUCCEED only"),
    "retry without delay": ((step("RETRY", "open", error=ERROR),), "needs StepOptions.NextAttemptDelaySeconds"),
    "retry with both": ((step("RETRY", "open", error=ERROR, payload="1", options=DELAY),), "not both"),
    "retry of an ended step": ((step("RETRY", "done", options=DELAY),), "not allowed from SUCCEEDED"),
    "context started twice": ((context("START", "parent"),), "not allowed from STARTED"),
    "context ended twice": ((context("FAIL", "closed"),), "not allowed from SUCCEEDED"),
    "context never started": ((context("SUCCEED", "n"),), "not allowed from nothing recorded"),
    "context retried": ((context("RETRY", "parent"),), "takes FAIL, START, SUCCEED only"),
    "wait without duration": ((update("WAIT", "START", "n"),), "needs WaitOptions.WaitSeconds"),
    "wait started twice": ((wait("timer"),), "not allowed from STARTED"),
    "wait ended by hand": ((update("WAIT", "SUCCEED", "timer"),), "takes CANCEL, START only"),
    "wait that is not there cancelled": ((update("WAIT", "CANCEL", "n"),), "not allowed from nothing recorded"),
    "callback started twice": ((callback("answer"),), "not allowed from STARTED"),
    "callback answered from inside": ((update("CALLBACK", "SUCCEED", "answer"),), "takes START only"),
    "callback cancelled": ((update("CALLBACK", "CANCEL", "answer"),), "takes START only"),
    "invoke without a function": ((update("CHAINED_INVOKE", "START", "n"),), "needs ChainedInvokeOptions.FunctionName"),
    "invoke ended from inside": ((update("CHAINED_INVOKE", "FAIL", "n"),), "takes START only"),
    "invoke of no name": ((invoke("no name", "n"),), "names no function of this account and region"),
    "invoke in another region": ((invoke("arn:aws:lambda:eu-west-1:000000000000:function:f", "n"),), "of this account and region"),
    "invoke in another account": ((invoke("arn:aws:lambda:us-east-1:111111111111:function:f", "n"),), "of this account and region"),
    "success with an error": ((step("SUCCEED", "open", error=ERROR),), "carries no Error"),
    "failure with a payload": ((step("FAIL", "open", error=ERROR, payload="1"),), "carries no Payload"),
    "failed execution with a payload": ((execution_end("FAIL", payload="1"),), "carries no Payload"),
    "payload above 1 MiB": ((step("SUCCEED", "open", payload="é" * 600_000),), "has 1200000 bytes; the limit is 1048576"),
    "invoke input above 1 MiB": ((invoke(FUNCTION, "n", payload="x" * 1_048_577),), "has 1048577 bytes; the limit is 1048576"),
    "error above 32 KiB": ((step("FAIL", "open", error=ErrorObject("x" * 32_768)),), "the limit is 32768"),
    "NUL in a payload": ((step("SUCCEED", "open", payload="a\0"),), "NUL"),
    "half a surrogate pair": ((step("SUCCEED", "open", payload="a\ud800"),), "surrogate"),
    "too many updates": (tuple(step("START", f"n{number}") for number in range(1000)), "at most 1000 updates, this one has 1001"),
}


def rows(caller: Caller) -> tuple[Any, ...]:
    return (
        Execution.objects.filter(id=caller.id).values().get(),
        list(Operation.objects.filter(execution_id=caller.id).order_by("id").values()),
        Event.objects.filter(execution_id=caller.id).count(),
        Execution.objects.count(),
    )


@pytest.mark.parametrize(("updates", "text"), REFUSED.values(), ids=REFUSED)
def test_a_call_against_the_rules_writes_nothing(caller: Caller, updates: Updates, text: str) -> None:
    before = rows(caller)
    with pytest.raises(CommandError, match=text) as caught:
        caller.call(step("START", "good"), *updates, client_token="once")
    assert isinstance(caught.value, InvalidParameterValueError | InvalidInputError) or caught.value.status == 413
    assert rows(caller) == before
    caller.call(step("START", "good"), client_token="once")


ALLOWED: dict[str, Updates] = {
    "nothing": (),
    "step started and ended": (step("START", "n"), step("SUCCEED", "n", payload="")),
    "context started and ended": (context("START", "n"), context("FAIL", "n", error=ERROR)),
    "inside a context of this call": (context("START", "n"), step("START", "m", parent_id="n"), context("SUCCEED", "n")),
    "identity left out at the end": (step("SUCCEED", "open"), step("SUCCEED", "inside")),
    "identity repeated at the end": (step("SUCCEED", "open", sub_type="Step", name="charge"),),
    "poll that goes on": (step("RETRY", "open", payload="state", options=DELAY),),
    "wait cancelled": (update("WAIT", "CANCEL", "timer"),),
    "callback without limits": (callback("n"),),
    "payload of 1 MiB": (step("SUCCEED", "open", payload="x" * 1_048_576),),
    "result of 6 MiB": (execution_end(payload="x" * 6_291_456),),
    "result last": (step("SUCCEED", "open"), execution_end()),
    "1000 updates": tuple(step("START", f"n{number}") for number in range(1000)),
}


@pytest.mark.parametrize("updates", ALLOWED.values(), ids=ALLOWED)
def test_what_the_rules_allow_is_recorded(caller: Caller, updates: Updates) -> None:
    asked = {one.id for one in updates if one.type != "EXECUTION"}
    assert asked <= {record.id for record in caller.call(*updates).operations}


def test_a_result_above_6_mib_ends_the_execution_failed(caller: Caller) -> None:
    """Refused, it would be sent again by every invocation."""
    assert caller.call(execution_end(payload="é" * 3_145_729)).token is None
    row = Execution.objects.get(id=caller.id)
    assert (row.status, row.result) == ("FAILED", None)
    assert "has 6291458 bytes; the limit is 6291456" in str(row.error)
    assert "Function.ResponseSizeTooLarge" in str(row.error)


STEP = {"Id": "n", "Type": "STEP", "Action": "START"}
BOUNDS: dict[str, tuple[dict[str, Any], str]] = {
    "id empty": ({**STEP, "Id": ""}, "Id must have a value from 1 to 64"),
    "id of 65": ({**STEP, "Id": "x" * 65}, "Id must have a value from 1 to 64"),
    "id with a blank": ({**STEP, "Id": "a b"}, "Id must satisfy the pattern"),
    "no id": ({"Type": "STEP", "Action": "START"}, "Id is required"),
    "parent of 65": ({**STEP, "ParentId": "x" * 65}, "ParentId must have"),
    "name of 257": ({**STEP, "Name": "x" * 257}, "Name must have a value from 1 to 256"),
    "name in another script": ({**STEP, "Name": "é"}, "Name must satisfy the pattern"),
    "sub type of 33": ({**STEP, "SubType": "x" * 33}, "SubType must have a value from 1 to 32"),
    "unknown type": ({**STEP, "Type": "TASK"}, "Type must be one of"),
    "unknown action": ({**STEP, "Action": "STOP"}, "Action must be one of"),
    "delay of 0": ({**STEP, "Action": "RETRY", "StepOptions": {"NextAttemptDelaySeconds": 0}}, "from 1 to 31622400"),
    "delay too long": ({**STEP, "Action": "RETRY", "StepOptions": {"NextAttemptDelaySeconds": 31_622_401}}, "from 1 to 31622400"),
    "wait of 0": ({**STEP, "Type": "WAIT", "WaitOptions": {"WaitSeconds": 0}}, "from 1 to 31622400"),
    "wait too long": ({**STEP, "Type": "WAIT", "WaitOptions": {"WaitSeconds": 31_622_401}}, "from 1 to 31622400"),
    "callback too long": ({**STEP, "Type": "CALLBACK", "CallbackOptions": {"TimeoutSeconds": 100_000_000}}, "from 0 to 99999999"),
    "heartbeat negative": ({**STEP, "Type": "CALLBACK", "CallbackOptions": {"HeartbeatTimeoutSeconds": -1}}, "from 0 to 99999999"),
    "tenant with a quote": (
        {**STEP, "Type": "CHAINED_INVOKE", "ChainedInvokeOptions": {"FunctionName": "f", "TenantId": '"'}},
        "TenantId must satisfy the pattern",
    ),
    "delay as text": ({**STEP, "Action": "RETRY", "StepOptions": {"NextAttemptDelaySeconds": "5"}}, "must be a whole number"),
}


@pytest.mark.parametrize(("sent", "text"), BOUNDS.values(), ids=BOUNDS)
def test_members_are_bounded(sent: dict[str, Any], text: str) -> None:
    with pytest.raises(InvalidInputError, match=text):
        wire.updates([sent])


@pytest.mark.parametrize("client_token", ["", "x" * 65, "a b", "é"])
def test_a_client_token_is_bounded(caller: Caller, client_token: str) -> None:
    with pytest.raises(InvalidParameterValueError, match="1 to 64 visible ASCII characters"):
        caller.call(client_token=client_token)


def test_an_arn_of_elsewhere_is_refused(caller: Caller) -> None:
    for arn in ("", "arn:aws:s3:::x", caller.arn.replace("us-east-1", "eu-west-1"), caller.arn + "/more"):
        with pytest.raises(InvalidParameterValueError, match="names no execution of this region and account"):
            checkpoints.checkpoint(arn, str(caller.token), ())


def test_the_limit_of_payloads_is_a_setting(caller: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    small = replace(engine_settings(), OUTSIDE_PAYLOAD_BYTES=2048)
    monkeypatch.setattr(checkpoints, "engine_settings", lambda: small)
    with pytest.raises(InvalidParameterValueError, match=r"the limit is 2048 \(DURABLE_EXECUTION\['OUTSIDE_PAYLOAD_BYTES'\]\)"):
        caller.call(step("SUCCEED", "open", payload="x" * 2049))
