"""What handlers logged and printed, as a requirement asks for it."""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from tests.conformance.outside.matching import filled


def captured(path: Path, arn: str) -> list[dict[str, Any]]:
    """The lines of one execution; a line that is a JSON object shows its own keys."""
    found = []
    for text in path.read_text(errors="replace").splitlines() if path.exists() else ():
        line = json.loads(text)
        if line.get("executionArn") == arn:
            found.append(_opened(str(line.get("message", ""))))
    return found


def _opened(message: str) -> dict[str, Any]:
    try:
        inner = json.loads(message)
    except ValueError:
        inner = None
    return {**(inner if isinstance(inner, dict) else {}), "message": message}


def log_differences(checks: list[dict[str, Any]], lines: list[dict[str, Any]], names: Mapping[str, Any]) -> Iterator[str]:
    for check in checks:
        hits = [index for index, line in enumerate(lines) if _fits(check["match"], line, names)]
        least, most = check.get("count", check.get("min_count", 0)), check.get("count")
        if len(hits) < least or (most is not None and len(hits) > most):
            yield f"log {check['match']}: {len(hits)} lines"
        for earlier in check.get("after") or ():
            first = next((index for index, line in enumerate(lines) if _fits(earlier, line, names)), None)
            if hits and (first is None or first > hits[0]):
                yield f"log {check['match']}: not after {earlier}"


def _fits(match: dict[str, Any], line: dict[str, Any], names: Mapping[str, Any]) -> bool:
    for key, pattern in match.items():
        wanted = filled(pattern, names)
        is_regex = isinstance(wanted, str) and len(wanted) > 1 and wanted[0] == wanted[-1] == "/"
        if key not in line or not (re.search(wanted[1:-1], str(line[key])) if is_regex else wanted == line[key]):
            return False
    return True
