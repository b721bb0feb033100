"""How people name functions: by name, or by patterns with `*` and `?`."""

import re
from collections.abc import Collection

from durable_ops.models.function_pattern import PATTERN
from execution_engine.core.errors import InvalidInputError


def check_patterns(patterns: Collection[str], field: str, *, most: int | None = None) -> None:
    """Raises InvalidInputError, which names the first text that is no pattern, or `most` when there are more."""
    wrong = sorted(one for one in patterns if not re.fullmatch(PATTERN, one))
    if wrong:
        words = f"{wrong[0][:64]!r} is no function: 1 to 64 letters, digits, _ and -, with * for any text and ? for one character."
        raise InvalidInputError(words, field=field, value=wrong[0][:64])
    if most is not None and len(patterns) > most:
        raise InvalidInputError(f"At most {most} functions can be named, not {len(patterns)}.", field=field, limit=most)
