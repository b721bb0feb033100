"""The served product driven by unmodified boto3 with signed requests, and by clients that misbehave on the socket."""

import io
import json
import os
import socket
import subprocess
import sys
import time
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ReadTimeoutError

from tests.scenarios.program import wait_for
from tests.serving import Serving

pytestmark = pytest.mark.slow
INVOKE = "/2015-03-31/functions/report-export/invocations"


@pytest.fixture(scope="module")
def key(serving: Serving) -> dict[str, str]:
    """`key`, and the two halves that AWS's SDKs sign with."""
    made = serving.manage("create_api_key", "--user", "admin", "--name", f"boto3 {time.time_ns()}", "--for-aws", "--json")
    return dict(json.loads(made))


def client_of(serving: Serving, key: dict[str, str], **config: Any) -> Any:
    return boto3.client(
        "lambda",
        endpoint_url=serving.address,
        region_name="eu-west-1",
        aws_access_key_id=key["access_key_id"],
        aws_secret_access_key=key["secret_access_key"],
        config=Config(retries={"max_attempts": 0}, **config),
    )


@pytest.fixture(scope="module")
def client(serving: Serving, key: dict[str, str]) -> Any:
    return client_of(serving, key)


def test_an_expense_from_start_to_deletion(client: Any) -> None:
    expense = {"expense_id": f"E-{time.time_ns()}", "amount": 120.5, "category": "travel", "receipt_url": "https://receipts.example/1.pdf"}
    name, text = f"boto-{time.time_ns()}", json.dumps(expense)
    call = {"FunctionName": "expense-callbacks", "DurableExecutionName": name, "Payload": text}
    arn = client.invoke(InvocationType="Event", **call)["DurableExecutionArn"]

    def question() -> str | None:
        events = client.get_durable_execution_history(DurableExecutionArn=arn)["Events"]
        started = [event["CallbackStartedDetails"]["CallbackId"] for event in events if event["EventType"] == "CallbackStarted"]
        return started[0] if started else None

    callback_id = wait_for(question, "the question")
    client.pause_durable_execution(DurableExecutionArn=arn, Reason="lunch")
    wait_for(lambda: status(client, arn) == "PAUSED" or None, "the pause")
    client.send_durable_execution_callback_success(CallbackId=callback_id, Result=b'{"action": "approved"}')
    client.resume_durable_execution(DurableExecutionArn=arn)
    answer = client.invoke(**call)  # the same name and input: waits for the one that is there
    assert answer["DurableExecutionArn"] == arn
    assert json.loads(answer["Payload"].read())["status"] == "completed"
    listed = client.list_durable_executions_by_function(FunctionName="expense-callbacks", DurableExecutionName=name)["DurableExecutions"]
    assert [(one["DurableExecutionArn"], one["Status"]) for one in listed] == [(arn, "SUCCEEDED")]
    client.delete_durable_execution(DurableExecutionArn=arn)
    with pytest.raises(client.exceptions.ResourceNotFoundException):
        client.get_durable_execution(DurableExecutionArn=arn)


def test_a_body_from_a_file_that_expects_to_go_on(client: Any) -> None:
    """botocore sends `Expect: 100-continue` for what it reads from a file."""
    text = json.dumps({"fill": "x" * 900_000}).encode()
    arn = client.invoke(FunctionName="report-export", InvocationType="Event", Payload=io.BytesIO(text))["DurableExecutionArn"]
    assert client.get_durable_execution(DurableExecutionArn=arn)["InputPayload"] == text.decode()


def test_what_is_too_large_is_refused(client: Any) -> None:
    for size in (7, 10):
        with pytest.raises(client.exceptions.RequestTooLargeException):
            client.invoke(FunctionName="report-export", Payload=b" " * (size * 1024 * 1024))


def test_bodies_in_chunks_and_cut_short_are_refused(serving: Serving, key: dict[str, str]) -> None:
    head = f"POST {INVOKE} HTTP/1.1\nHost: x\nAuthorization: Bearer {key['key']}\nX-Amz-Invocation-Type: Event\n"
    before = started(serving, key)
    assert b" 400 " in raw(serving, head + "Transfer-Encoding: chunked\n\n", b"2\r\n{}\r\n0\r\n\r\n").splitlines()[0]
    assert b" 400 " in raw(serving, head + "Content-Length: 100\n\n", b"{}", closes=True).splitlines()[0]
    assert b" 202 " in raw(serving, head + "Content-Length: 2\nConnection: close\n\n", b"{}").splitlines()[0]
    assert started(serving, key) == before + 1


def test_who_hangs_up_leaves_no_waiter(serving: Serving, key: dict[str, str], client: Any) -> None:
    """More callers than may wait at a time hang up one after the other, and the next one is served."""
    expense = json.dumps({"expense_id": "E-hung", "amount": 1, "category": "travel", "receipt_url": "https://receipts.example/1.pdf"})
    path = INVOKE.replace("report-export", "expense-callbacks")
    head = f"POST {path} HTTP/1.1\nHost: x\nAuthorization: Bearer {key['key']}\nContent-Length: {len(expense)}\n\n"
    for _ in range(4):
        callers = [connected(serving, head, expense.encode()) for _ in range(12)]
        time.sleep(0.3)
        for caller in callers:
            caller.close()
        time.sleep(1)
    impatient = client_of(serving, key, read_timeout=2)
    with pytest.raises(ReadTimeoutError):  # it waits: there was a place
        impatient.invoke(FunctionName="expense-callbacks", Payload=expense)


def test_aws_command_line(serving: Serving, key: dict[str, str], tmp_path: Path) -> None:
    """AWS's own program with an address, a key and any region in its environment; this version knows ten of the calls."""
    aws = partial(command_line, serving, key)
    name = f"cli-{time.time_ns()}"
    expense = json.dumps({"expense_id": name, "amount": 80, "category": "travel", "receipt_url": "https://receipts.example/1.pdf"})
    function, result = ("--function-name", "expense-callbacks"), tmp_path / "result.json"
    call = ("invoke", *function, "--durable-execution-name", name, "--payload", expense)
    arn = aws(*call, "--invocation-type", "Event", str(result))["DurableExecutionArn"]
    execution = ("--durable-execution-arn", arn)

    def question() -> str | None:
        events = aws("get-durable-execution-history", *execution, "--include-execution-data")["Events"]
        return next((event["CallbackStartedDetails"]["CallbackId"] for event in events if event["EventType"] == "CallbackStarted"), None)

    callback = ("--callback-id", wait_for(question, "the question"))
    aws("send-durable-execution-callback-success", *callback, "--result", '{"action": "approved"}')
    assert aws(*call, str(result))["StatusCode"] == 200
    assert json.loads(result.read_text())["status"] == "completed"
    listed = aws("list-durable-executions-by-function", *function, "--statuses", "SUCCEEDED", "--durable-execution-name", name)
    assert [one["DurableExecutionArn"] for one in listed["DurableExecutions"]] == [arn]
    assert aws("get-durable-execution", *execution)["Status"] == "SUCCEEDED"
    with pytest.raises(AssertionError, match="CallbackTimeoutException"):
        aws("send-durable-execution-callback-heartbeat", *callback)
    with pytest.raises(AssertionError, match="InvalidParameterValueException"):
        aws("stop-durable-execution", *execution)


def command_line(serving: Serving, key: dict[str, str], *arguments: str) -> Any:
    names = {"AWS_ACCESS_KEY_ID": key["access_key_id"], "AWS_SECRET_ACCESS_KEY": key["secret_access_key"]}
    environment = {**os.environ, **names, "AWS_ENDPOINT_URL": serving.address, "AWS_DEFAULT_REGION": "us-west-2", "AWS_MAX_ATTEMPTS": "1"}
    command = [sys.executable, "-m", "awscli", "lambda", *arguments, "--output", "json"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout) if done.stdout.strip() else None


def status(client: Any, arn: str) -> str:
    return str(client.get_durable_execution(DurableExecutionArn=arn)["Status"])


def started(serving: Serving, key: dict[str, str]) -> int:
    """How many executions of the function there are."""
    head = "GET /2025-12-01/functions/report-export/durable-executions?MaxItems=1000 HTTP/1.1\nHost: x\nConnection: close\n"
    answer = raw(serving, head + f"Authorization: Bearer {key['key']}\n\n", whole=True)
    return len(json.loads(answer.partition(b"\r\n\r\n")[2])["DurableExecutions"])


def connected(serving: Serving, head: str, body: bytes) -> socket.socket:
    address = urlsplit(serving.address)
    connection = socket.create_connection((address.hostname or "", address.port or 0), timeout=10)
    connection.sendall(head.replace("\n", "\r\n").encode() + body)
    return connection


def raw(serving: Serving, head: str, body: bytes = b"", *, closes: bool = False, whole: bool = False) -> bytes:
    """What the server answers to these bytes: the head of the answer, or the `whole` of it."""
    with connected(serving, head, body) as connection:
        if closes:
            connection.shutdown(socket.SHUT_WR)
        found = b""
        while (chunk := connection.recv(65536)) and (whole or b"\r\n\r\n" not in found + chunk):
            found += chunk
        return found + chunk
