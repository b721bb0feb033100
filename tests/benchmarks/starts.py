"""Starts over REST: `python -m tests.benchmarks.starts [--seconds 20] [--function bench-one]`, the product served with its worker.

First as many as eight connections can make, each sending the next when it was answered: the full rate. Then half of it, sent at fixed
moments whatever the answers do; a start's time counts from its moment, so that waiting for a free connection counts too. Prints one JSON
line each, with the CPU of web, worker, database and broker per start; ends 1 when at half load the 99th percentile is above 50 ms.
"""

import argparse
import json
import queue
import socket
import sys
import tempfile
import threading
import time
import urllib.parse
from pathlib import Path
from typing import Any

import psutil

from tests.benchmarks.measuring import cpu_seconds, emit, latencies
from tests.serving import Serving

CONNECTIONS = 8
WARM_SECONDS = 3.0
MOST_P99_MS = 50.0


class Starter:
    """One kept connection that sends the same start again and again, with as little work of its own as Python can."""

    def __init__(self, address: str, key: str, function: str) -> None:
        parts = urllib.parse.urlsplit(address)
        body = json.dumps({"function": function, "input": {"order": 123456, "note": "x" * 100}}).encode()
        head = f"POST /api/v1/executions HTTP/1.1\r\nHost: {parts.netloc}\r\nAuthorization: Bearer {key}\r\n"
        head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        self._request = head.encode() + body
        self._target = (parts.hostname or "", parts.port or 80)
        self._socket: socket.socket | None = None

    def start(self) -> None:
        """Raises when the answer is not 201. A connection that the server closed is made anew."""
        if self._socket is None:
            self._socket = socket.create_connection(self._target, timeout=30)
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket.sendall(self._request)
        answer = self._read(self._socket)
        if not answer.startswith(b"HTTP/1.1 201"):
            raise SystemExit(f"a start was answered with {answer[:500]!r}")
        if b"connection: close" in answer.split(b"\r\n\r\n")[0].lower():
            self._socket.close()
            self._socket = None

    def _read(self, connection: socket.socket) -> bytes:
        found = b""
        while b"\r\n\r\n" not in found:
            found += self._part(connection)
        head, _, body = found.partition(b"\r\n\r\n")
        length = next(int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length"))
        while len(body) < length:
            part = self._part(connection)
            body, found = body + part, found + part
        return found

    def _part(self, connection: socket.socket) -> bytes:
        part = connection.recv(65_536)
        if not part:
            raise ConnectionError("the server hung up")
        return part


def full_rate(starters: list[Starter], seconds: float) -> tuple[float, list[float]]:
    """Starts a second of all connections at once, and how long each start took."""
    ends, times = time.perf_counter() + seconds, list[float]()

    def run(starter: Starter) -> None:
        while (began := time.perf_counter()) < ends:
            starter.start()
            times.append(time.perf_counter() - began)

    in_threads(run, starters)
    return len(times) / seconds, times


def at_rate(starters: list[Starter], rate: float, seconds: float) -> list[float]:
    """How long each start took from the moment it was due."""
    began, times = time.perf_counter() + 0.1, list[float]()
    due: queue.SimpleQueue[float] = queue.SimpleQueue()
    for number in range(int(rate * seconds)):
        due.put(began + number / rate)

    def run(starter: Starter) -> None:
        while True:
            try:
                moment = due.get_nowait()
            except queue.Empty:
                return
            time.sleep(max(moment - time.perf_counter(), 0))
            starter.start()
            times.append(time.perf_counter() - moment)

    in_threads(run, starters)
    return times


def in_threads(run: Any, starters: list[Starter]) -> None:
    threads = [threading.Thread(target=run, args=(starter,)) for starter in starters]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.starts")
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--function", default="bench-one")
    asked = parser.parse_args()
    environment = {"DURABLE_FUNCTION_MODULES": "tests.benchmarks.functions", "DEMO_PASSWORD": "bench", "API_CALLS_PER_MINUTE": "10000000"}
    with tempfile.TemporaryDirectory() as folder, Serving(Path(folder) / "data", "--workers", "1", environment=environment) as serving:
        key = serving.manage("create_api_key", "--user", "operator", "--name", "bench", "--quiet").strip()
        starters = [Starter(serving.address, key, asked.function) for _ in range(CONNECTIONS)]
        full_rate(starters, WARM_SECONDS)
        product = psutil.Process(serving.process.pid)
        before = cpu_seconds(product)
        rate, times = full_rate(starters, asked.seconds / 2)
        cpu = round((cpu_seconds(product) - before) / len(times) * 1000, 2)
        emit("ours", "starts", mode="full load", starts_per_s=round(rate, 1), **latencies(times), cpu_ms_per_start=cpu)
        time.sleep(2)  # what is queued gets done
        half = at_rate(starters, rate / 2, asked.seconds)
        found = latencies(half)
        emit("ours", "starts", mode="half load", starts_per_s=round(rate / 2, 1), **found)
    return 0 if found["p99_ms"] <= MOST_P99_MS else 1


if __name__ == "__main__":
    sys.exit(main())
