"""`manage.py check`: what would make a registered durable function differ on replay."""

from pathlib import Path
from typing import Any

from django.core.checks import CheckMessage
from django.core.checks import Warning as CheckWarning

from execution_engine.sdk.lint import findings_of
from execution_engine.sdk.registry import registered_functions

_SILENCE = "or end the line with `# durable: ok - reason`"


def check_determinism(**_: Any) -> list[CheckMessage]:
    """Warnings `durable.W001` to `durable.W011` (docs/determinism.md), each breach once however many functions reach it."""
    found = {finding: None for function in registered_functions() for finding in findings_of(function)}
    return [
        CheckWarning(
            f"{finding.problem}.",
            hint=f"{finding.instead[:1].upper()}{finding.instead[1:]}, {_SILENCE}.",
            obj=f"{_shown(finding.file)}:{finding.line}",
            id=finding.id,
        )
        for finding in found
    ]


def _shown(file: str) -> str:
    """The path as an editor opens it from the project's folder."""
    path = Path(file)
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else file
