"""What the door for checkpoints carries: `python -m tests.benchmarks.checkpoints [SECONDS]`, the product served, callers on this machine.

Each caller plays a function outside: one call per step of START and SUCCEED with a 229-byte result and a client token, over one connection
that is kept. First plain `http.client` connections with a bearer key, then unmodified boto3 clients that sign each call. Prints one JSON
line each, CPU per call included, which says the same on a busy machine; ends 1 below the target.
"""

import http.client
import json
import sys
import tempfile
import threading
import time
import urllib.parse
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import psutil
from botocore.config import Config

from tests.benchmarks.measuring import PAYLOAD, cpu_seconds, latencies
from tests.serving import Serving

CALLERS = 8
CLIENTS = 4
WARM_SECONDS = 2.0
AT_LEAST = 500
RESULT = json.dumps(PAYLOAD)
Call = Callable[[str, list[dict[str, Any]]], str]


def prepare(count: int) -> None:
    """Runs inside the product: claims executions of a function that no worker serves, and prints ARN and first token of each."""
    from tests.durable_ops.journal import claim_outside  # needs Django's settings, which only the product's own process has

    print(json.dumps(claim_outside("bench-outside", count)))  # noqa: T201


def over_http(address: str, key: str, arn: str) -> Call:
    connection = http.client.HTTPConnection(urllib.parse.urlsplit(address).netloc, timeout=30)
    path = f"/2025-12-01/durable-executions/{urllib.parse.quote(arn, safe='')}/checkpoint"
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}

    def call(token: str, updates: list[dict[str, Any]]) -> str:
        body = json.dumps({"CheckpointToken": token, "Updates": updates, "ClientToken": str(uuid.uuid4())})
        connection.request("POST", path, body, headers)
        answer = connection.getresponse()
        text = answer.read()
        assert answer.status == 200, text
        return str(json.loads(text)["CheckpointToken"])

    return call


def over_boto3(address: str, credentials: tuple[str, str], arn: str) -> Call:
    access_key, secret = credentials
    client = boto3.session.Session().client(
        "lambda",
        endpoint_url=address,
        region_name="us-east-1",
        aws_access_key_id=access_key,
        aws_secret_access_key=secret,
        config=Config(retries={"max_attempts": 0}),
    )

    def call(token: str, updates: list[dict[str, Any]]) -> str:
        return str(client.checkpoint_durable_execution(DurableExecutionArn=arn, CheckpointToken=token, Updates=updates)["CheckpointToken"])

    return call


class Crowd:
    """Callers that each record one step after the other until they are told to end."""

    def __init__(self, calls: list[tuple[Call, str]]) -> None:
        self._calls = calls
        self._is_over = threading.Event()
        self._is_counting = threading.Event()
        self.waits: list[float] = []

    def measure(self, seconds: float, web: psutil.Process, database: psutil.Process) -> dict[str, Any]:
        threads = [threading.Thread(target=self._record, args=one) for one in self._calls]
        for thread in threads:
            thread.start()
        time.sleep(WARM_SECONDS)
        before = [cpu_seconds(web), cpu_seconds(database), time.process_time()]
        began = time.perf_counter()
        self._is_counting.set()
        time.sleep(seconds)
        self._is_counting.clear()
        wall = time.perf_counter() - began
        after = [cpu_seconds(web), cpu_seconds(database), time.process_time()]
        self._is_over.set()
        for thread in threads:
            thread.join()
        count = len(self.waits)
        used = [round((late - early) / count * 1000, 3) for early, late in zip(before, after, strict=True)]
        names = ("web_cpu_ms", "postgres_cpu_ms", "caller_cpu_ms")
        return {"callers": len(threads), "per_s": round(count / wall), **latencies(self.waits), **dict(zip(names, used, strict=True))}

    def _record(self, call: Call, token: str) -> None:
        number = 0
        while not self._is_over.is_set():
            number += 1
            step = {"Id": f"step-{number}", "Type": "STEP", "SubType": "Step", "Name": "charge"}
            updates = [{**step, "Action": "START"}, {**step, "Action": "SUCCEED", "Payload": RESULT}]
            began = time.perf_counter()
            token = call(token, updates)
            if self._is_counting.is_set():
                self.waits.append(time.perf_counter() - began)


def main(seconds: float) -> int:
    with (
        tempfile.TemporaryDirectory() as folder,
        Serving(Path(folder) / "data", "--no-demo", "--workers", "1", "--threads", "1") as serving,
    ):
        serving.manage("createsuperuser", "--noinput", "--username", "admin", "--email", "admin@example.org")
        key = serving.manage("create_api_key", "--user", "admin", "--name", "bench", "--quiet").strip()
        signing = json.loads(serving.manage("create_api_key", "--user", "admin", "--name", "bench-aws", "--for-aws", "--json"))
        code = f"from tests.benchmarks.checkpoints import prepare; prepare({CALLERS + CLIENTS})"
        places = json.loads(serving.manage("shell", "--no-imports", "-c", code).strip().splitlines()[-1])
        web, database = psutil.Process(serving.pid_of("gunicorn")), psutil.Process(serving.pid_of("postgres"))
        plain = Crowd([(over_http(serving.address.rstrip("/"), key, arn), token) for arn, token in places[:CALLERS]])
        found = plain.measure(seconds, web, database)
        print(json.dumps({"caller": "http.client", **found}), flush=True)  # noqa: T201
        pair = (signing["access_key_id"], signing["secret_access_key"])
        signed = Crowd([(over_boto3(serving.address, pair, arn), token) for arn, token in places[CALLERS:]])
        print(json.dumps({"caller": "boto3", **signed.measure(seconds, web, database)}), flush=True)  # noqa: T201
    print(json.dumps({"figure": "checkpoints_per_s", "value": found["per_s"], "must": AT_LEAST}))  # noqa: T201
    return int(found["per_s"] < AT_LEAST)


if __name__ == "__main__":
    sys.exit(main(float(sys.argv[1]) if len(sys.argv) > 1 else 10.0))
