"""What the body of a step or of a branch changes outside itself: gone on replay, which does not run the body again."""

import ast
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from execution_engine.sdk.lint import rules
from execution_engine.sdk.lint.kinds import is_container
from execution_engine.sdk.lint.names import FunctionNode, Scope


@dataclass(frozen=True)
class Change:
    node: ast.AST
    text: str


def lost_changes(body: FunctionNode, scope: Scope, replayed: Collection[FunctionNode]) -> Iterator[Change]:
    """Changes to variables and containers that a replayed function owns and also reads outside this body."""
    for node in ast.walk(body):
        for name, text in _changes(node, scope):
            binder = scope.binder(name) if name not in scope.borrowed or scope.outer is None else scope.outer.binder(name)
            if binder is None or binder is scope or binder.node not in replayed or not _reads(binder.node, name, body):
                continue
            if isinstance(node, ast.Nonlocal) or any(is_container(value, binder) for value in binder.values.get(name, [])):
                yield Change(node, text)


def _changes(node: ast.AST, scope: Scope) -> Iterator[tuple[str, str]]:
    match node:
        case ast.Nonlocal():
            yield from ((name, f"nonlocal {name}") for name in node.names if name in scope.changed)
        case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr=method)) if method in rules.MUTATORS:
            yield name, f"{name}.{method}()"
        case ast.Subscript(value=ast.Name(id=name), ctx=ast.Store() | ast.Del()):
            yield name, f"{name}[...] ="


def _reads(owner: ast.AST, name: str, body: FunctionNode) -> bool:
    inside = set(ast.walk(body))
    return any(isinstance(n, ast.Name) and n.id == name and isinstance(n.ctx, ast.Load) and n not in inside for n in ast.walk(owner))
