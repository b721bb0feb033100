"""The Lambda API as an unmodified boto3 client sees it, on a live server."""

import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError

from tests.durable_ops.journal import register_function
from tests.durable_ops.people import make_key, make_user

NO_RETRIES = {"max_attempts": 0}


def bearer_client(address: str, key: str) -> Any:
    """boto3 with a bearer key instead of a signature."""
    client = boto3.client(
        "lambda", endpoint_url=address, region_name="us-east-1", config=Config(signature_version=UNSIGNED, retries=NO_RETRIES)
    )
    client.meta.events.register("before-send.lambda", lambda request, **_: request.headers.__setitem__("Authorization", f"Bearer {key}"))
    return client


def signed_client(address: str, access_key_id: str, secret: str, **more: Any) -> Any:
    return boto3.client(
        "lambda",
        endpoint_url=address,
        region_name=more.pop("region", "us-east-1"),
        aws_access_key_id=access_key_id,
        aws_secret_access_key=secret,
        config=Config(retries=NO_RETRIES, **more),
    )


def start(client: Any, value: Any, **more: Any) -> str:
    """Invokes `echo` without waiting; the ARN."""
    answer = client.invoke(**{"FunctionName": "echo", "InvocationType": "Event", "Payload": json.dumps(value), **more})
    assert answer["StatusCode"] == 202
    return str(answer["DurableExecutionArn"])


def refused(call: Any, code: str, status: int) -> dict[str, Any]:
    """The `Error` of a refusal, after checking its fixed part as the client sees it."""
    with pytest.raises(ClientError) as caught:
        call()
    answer = caught.value.response
    assert (answer["Error"]["Code"], answer["ResponseMetadata"]["HTTPStatusCode"]) == (code, status), answer
    assert answer["ResponseMetadata"]["RequestId"]
    return dict(answer["Error"])


@pytest.fixture
def client(transactional_db: None, live_server: Any) -> Iterator[Any]:
    """With the key of an administrator, and a function `echo` that nobody serves."""
    register_function("echo")
    found = bearer_client(live_server.url, make_key(make_user("administrator", "anna")))
    yield found
    found.close()
