"""Judges a folder of requirement files on the served product. See README.md."""

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from tests.conformance.outside.templates import deployed_in
from tests.conformance.outside.trial import Trial
from tests.conformance.product import Product
from tests.remote.elsewhere import Elsewhere, aws_environment, free_port
from tests.serving import Serving

MODES = ("native", "adapter", "remote")
CHILDREN = 4  # of one thread each: a handler that ends its process must not take a neighbour along


def _arguments(given: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make conformance", description=__doc__)
    parser.add_argument("--requirements", type=Path, default=os.environ.get("CONFORMANCE_DIR"), help="default: CONFORMANCE_DIR")
    parser.add_argument("--handlers", type=Path, default=os.environ.get("CONFORMANCE_HANDLERS"), help="default: CONFORMANCE_HANDLERS")
    parser.add_argument("--mode", choices=MODES, action="append", help="default: all")
    parser.add_argument("--only", default="", help="requirements or suites: 8-2,9-")
    parser.add_argument("--jobs", type=int, default=6)
    parser.add_argument("--seconds", type=float, default=60, help="for each requirement")
    parser.add_argument("--verbose", action="store_true", help="the events of what fails")
    arguments = parser.parse_args(given)
    if arguments.requirements is None or arguments.handlers is None:
        parser.error("CONFORMANCE_DIR and CONFORMANCE_HANDLERS say where AWS's files are; see tests/conformance/outside/README.md")
    return arguments


def _chosen(folder: Path, only: str) -> list[Path]:
    files = {path.stem: path for path in sorted(folder.rglob("*.yaml")) if path.stem.replace("-", "").isdigit()}
    wanted = [word for word in only.split(",") if word]
    keys = [key for key in files if not wanted or any(key == word or (word.endswith("-") and key.startswith(word)) for word in wanted)]
    return [files[key] for key in sorted(keys, key=lambda key: tuple(map(int, key.split("-"))))]


@contextmanager
def _served(mode: str, handlers: Path, folder: Path) -> Iterator[tuple[Product, Path]]:
    """The product, and the file of what its handlers say. In remote mode they run in other processes, which know its address and a key."""
    data, port = folder / "data", free_port()
    environment = {
        "DURABLE_FUNCTION_MODULES": "tests.conformance.outside.handlers",
        "CONFORMANCE_HANDLERS": str(handlers.resolve()),
        "CONFORMANCE_MODE": mode,
        "CONFORMANCE_URL": f"http://127.0.0.1:{port}",
        "AWS_DEFAULT_REGION": "us-east-1",
        "DEMO_PASSWORD": "conformance",
    }
    threads = "8" if mode == "remote" else "1"
    with Serving(data, "--workers", str(CHILDREN), "--threads", threads, "--no-demo", environment=environment) as serving:
        key = serving.manage("create_api_key", "--user", "admin", "--name", "conformance", "--quiet").strip().splitlines()[-1]
        product = Product(serving.address, key)
        if mode != "remote":
            yield product, data / "logs" / "functions.jsonl"
            return
        said = folder / "said.jsonl"
        told = {**environment, **aws_environment(serving), "DATA_DIR": str(folder), "HOST_OUTPUT": str(said)}
        command = [sys.executable, "-m", "tests.remote.host", "tests.conformance.outside.hosted", str(port)]
        with Elsewhere(command, port, folder / "host.txt", told):
            yield product, said


def _judge(mode: str, files: list[Path], arguments: argparse.Namespace) -> list[Trial]:
    names = {key: one.name for one in deployed_in(arguments.handlers) for key in one.requirements}
    with (
        tempfile.TemporaryDirectory(prefix="conformance-") as folder,
        _served(mode, arguments.handlers, Path(folder)) as (product, output),
    ):

        def run(path: Path) -> Trial:
            trial = Trial.of_file(path)
            if path.stem not in names:
                trial.errors.append("no handler")
                return trial
            return trial.run(product, names[path.stem], output, arguments.seconds)

        with ThreadPoolExecutor(arguments.jobs) as pool:
            return list(pool.map(run, files))


def say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def main(given: Sequence[str] | None = None) -> int:
    arguments = _arguments(given)
    files = _chosen(arguments.requirements, arguments.only)
    failed = 0
    for mode in arguments.mode or MODES:
        trials = _judge(mode, files, arguments)
        for trial in trials:
            for error in trial.errors[:8]:
                say(f"{mode} {trial.requirement}: {error}")
            if trial.errors and arguments.verbose:
                say("\n".join(f"    {json.dumps(event)[:300]}" for event in trial.events))
        good = sum(not trial.errors for trial in trials)
        failed += len(trials) - good
        say(f"{mode}: {good} of {len(trials)}")
    return 1 if failed or not files else 0


if __name__ == "__main__":
    sys.exit(main())
