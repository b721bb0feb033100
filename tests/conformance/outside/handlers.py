"""Imported by the served product: registers the handlers of CONFORMANCE_HANDLERS in the mode CONFORMANCE_MODE."""

import logging
import os
import re
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import execution_engine
from tests.conformance.outside.templates import Deployed, deployed_in

_IMPORT = re.compile(r"^(from|import) aws_durable_execution_sdk_python[\w.]*", re.MULTILINE)


class AttemptsTable:
    """In place of DynamoDB: counts how often an execution asked, in files that outlive the process."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def update_item(self, *, Key: dict[str, dict[str, str]], **_: Any) -> dict[str, Any]:  # noqa: N803  # boto3's own name
        path = self._folder / re.sub(r"\W", "_", Key["executionId"]["S"])
        with path.open("a") as file:
            file.write("x")
        return {"Attributes": {"attemptCount": {"N": str(path.stat().st_size)}}}


def load(deployed: Deployed, mode: str) -> ModuleType:
    """The file as a module. In native mode its import lines name our package; its environment is its template's."""
    source = deployed.path.read_text()
    if mode == "native":
        source = _IMPORT.sub(r"\1 execution_engine", source)
    module = ModuleType(f"conformance_{deployed.name}")
    module.__file__ = str(deployed.path)
    exec(compile(source, str(deployed.path), "exec"), module.__dict__)
    if hasattr(module, "os"):
        vars(module)["os"] = SimpleNamespace(**{**vars(os), "environ": {**os.environ, **deployed.variables}})
    if hasattr(module, "ddb_client"):
        vars(module)["ddb_client"] = AttemptsTable(Path(os.environ["DATA_DIR"]) / "attempts")
    return module


def register_all(folder: Path, mode: str) -> None:
    for deployed in deployed_in(folder, os.environ.get("DURABLE_REGION", "us-east-1"), os.environ.get("DURABLE_ACCOUNT", "0" * 12)):
        try:
            handler = load(deployed, mode).handler
            execution_engine.register(handler, name=deployed.name, per_tenant=deployed.per_tenant, durable=deployed.durable)
        except Exception:  # one bad file must not hide the others: its requirements fail by themselves
            logging.getLogger(__name__).exception("%s was not registered", deployed.path)


if "CONFORMANCE_HANDLERS" in os.environ:
    register_all(Path(os.environ["CONFORMANCE_HANDLERS"]), os.environ.get("CONFORMANCE_MODE", "native"))
