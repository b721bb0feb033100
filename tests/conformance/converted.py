"""Our functions as functions of AWS's own SDK: the same source, executed with other import lines."""

from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

from execution_engine import register

# Only our decorator takes a timeout; for functions of AWS's it is given at `register`.
TIMEOUTS = {"too_slow": 5}


def as_aws(module: ModuleType) -> ModuleType:
    path = Path(str(module.__file__))
    source = path.read_text().replace("from execution_engine import (", "from tests.conformance.aws_names import (")
    source = source.replace("@durable_execution(execution_timeout=FIVE_SECONDS)", "@durable_execution")
    made = ModuleType(f"{module.__name__}_of_aws")
    exec(compile(source, str(path), "exec"), made.__dict__)
    return made


def register_as_aws(handler: Callable[..., Any]) -> str:
    """Registers AWS's twin of one of our functions; its name."""
    name = handler.__name__
    definition = register(handler, name=f"aws-{name}", execution_timeout=TIMEOUTS.get(name))
    assert definition.kind == "aws"
    return definition.name
