"""AWS's handler files as modules, wherever they run."""

import os
import re
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

from tests.conformance.outside.templates import Deployed

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
