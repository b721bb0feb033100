"""The shape of a function's durable calls, as advice on whether open executions still fit the code."""

import ast
import inspect
import textwrap
from collections.abc import Callable, Iterator
from hashlib import sha256
from typing import Any

DURABLE_METHODS = frozenset(
    {
        "step",
        "wait",
        "create_callback",
        "wait_for_callback",
        "wait_for_condition",
        "wait_for_signal",
        "wait_for_approval",
        "run_in_child_context",
        "map",
        "parallel",
        "invoke",
    }
)
_BLOCKS = (ast.For, ast.While, ast.If, ast.Try, ast.With, ast.FunctionDef, ast.Lambda, ast.ListComp, ast.GeneratorExp)


def source_of(handler: Callable[..., Any]) -> str:
    """The source text of a function, or "" when there is none to be found."""
    try:
        return textwrap.dedent(inspect.getsource(inspect.unwrap(handler)))
    except (OSError, TypeError):
        return ""


def fingerprint_of(handler: Callable[..., Any]) -> str:
    """SHA-256 over the normalised durable calls of the function and of the helpers of its module that it reaches.

    Counts: the method, constant names, the blocks they stand in, the order. Not: other code, texts, formatting.
    "" when there is no source.
    """
    shapes = list(_shapes(inspect.unwrap(handler), set()))
    return sha256("\n".join(shapes).encode()).hexdigest() if shapes else ""


def _shapes(function: Any, seen: set[str]) -> Iterator[str]:
    name = getattr(function, "__qualname__", "")
    tree = _parse(function)
    if tree is None or name in seen:
        return
    seen.add(name)
    calls = list(_calls(tree, ()))
    if calls or len(seen) == 1:
        yield "function " + ";".join(calls)
    namespace = getattr(function, "__globals__", {})
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
            helper = inspect.unwrap(found) if callable(found := namespace.get(node.id)) else None
            if inspect.isfunction(helper) and helper.__module__ == function.__module__:
                yield from _shapes(helper, seen)


def _parse(function: Any) -> ast.AST | None:
    try:
        return ast.parse(source_of(function)) if source_of(function) else None
    except SyntaxError:
        # A lambda's source is the line it stands on, which need not parse alone.
        return None


def _calls(node: ast.AST, blocks: tuple[str, ...]) -> Iterator[str]:
    if isinstance(node, _BLOCKS):
        blocks = (*blocks, type(node).__name__)
    for child in ast.iter_child_nodes(node):
        yield from _calls(child, blocks)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in DURABLE_METHODS:
        values = [*node.args, *(keyword.value for keyword in node.keywords if keyword.arg == "name")]
        names = [value.value for value in values if isinstance(value, ast.Constant) and isinstance(value.value, str)]
        yield f"{'/'.join(blocks)}:{node.func.attr}({','.join(names)})"
