"""Finds what makes a durable function differ on replay: clocks, chance, network, database and more outside a step.

Static advice from the source of a function and of the helpers of its module, as far as the fingerprint looks. It prefers silence to
a false alarm: code of other modules, values that are passed around, and what cannot be read stay unjudged.
"""

import functools
import inspect
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from execution_engine.sdk.definition import RegisteredFunction
from execution_engine.sdk.lint.names import SourceFile
from execution_engine.sdk.lint.walk import Walk

__all__ = ["Finding", "findings_of"]


@dataclass(frozen=True)
class Finding:
    """One breach: `id` such as "durable.W001", `file` and `line` of the call, `problem` a sentence, `instead` what to do."""

    id: str
    file: str
    line: int
    problem: str
    instead: str


def findings_of(function: RegisteredFunction) -> list[Finding]:
    """What a durable function does outside steps that differs on replay, by line. [] where there is no source, for plain
    functions and for those that run elsewhere.

    A comment `# durable: ok - reason` on the line, alone on the line above, or on the line of the `def` (for all of that
    function) silences a finding.
    """
    handler = _inner(function.handler)
    if function.kind not in ("durable", "aws") or not inspect.isfunction(handler):
        return []
    source = _source(handler.__code__.co_filename)
    node = None if source is None else source.function_at(handler.__code__.co_firstlineno, handler.__name__)
    if source is None or node is None:
        return []
    walk = Walk(source, handler.__globals__)
    walk.body(node)
    found = {
        Finding(
            place.rule.id,
            handler.__code__.co_filename,
            place.line,
            f"{place.text} in {place.function} {place.rule.problem}",
            place.rule.instead_for_aws if function.kind == "aws" else place.rule.instead,
        )
        for place in walk.places
        if source.silenced.isdisjoint(place.lines)
    }
    return sorted(found, key=lambda finding: (finding.line, finding.id, finding.problem))


def _inner(handler: Any) -> Any:
    """The author's own function beneath decorators, partials, bound methods and callable objects."""
    while True:
        if isinstance(handler, functools.partial):
            handler = handler.func
        elif hasattr(handler, "__wrapped__"):
            handler = inspect.unwrap(handler)
        elif inspect.ismethod(handler):
            handler = handler.__func__
        elif not inspect.isroutine(handler) and inspect.isfunction(call := inspect.getattr_static(type(handler), "__call__")):
            handler = call
        else:
            return handler


@functools.lru_cache(maxsize=256)
def _source(file: str) -> SourceFile | None:
    try:
        return SourceFile(Path(file).read_text(encoding="utf-8"))
    except (OSError, SyntaxError, ValueError):
        return None
