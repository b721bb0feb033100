"""Named SQL statements of `sql/*.sql`, each introduced by a line `-- name: ...`."""

import re
from functools import cache
from pathlib import Path

_NAME = re.compile(r"^-- name: (\w+)\s*$", re.MULTILINE)


@cache
def statement(name: str) -> str:
    """The text of one statement. Raises `KeyError` for a name that no file has."""
    return _statements()[name]


def _shortened(text: str) -> str:
    """Without comments and indentation: psycopg parses a statement above 4,096 characters anew each time."""
    code = re.sub(r"\s+", " ", re.sub(r"^\s*--.*$", "", text, flags=re.MULTILINE)).strip()
    return code.replace(", ", ",")


@cache
def _statements() -> dict[str, str]:
    found: dict[str, str] = {}
    for path in sorted((Path(__file__).parent / "sql").glob("*.sql")):
        _, *parts = _NAME.split(path.read_text())
        for name, text in zip(parts[::2], parts[1::2], strict=True):
            if name in found:
                raise ValueError(f"two SQL statements are named {name}")
            found[name] = _shortened(text)
    return found
