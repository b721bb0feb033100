"""Where values go: what a body changes outside itself is gone on replay; what only an `invoke` is given is recorded by it."""

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


def is_made_once(name: str, function: ast.AST) -> bool:
    """Whether a global is assigned only where it is found missing, as clients are that several calls share."""

    def is_about(node: ast.AST) -> bool:
        return any(isinstance(inner, ast.Name) and inner.id == name for inner in ast.walk(node))

    nodes = list(ast.walk(function))
    guarded = {inner for node in nodes if isinstance(node, ast.If) and is_about(node.test) for inner in ast.walk(node)}
    stores = [node for node in nodes if isinstance(node, ast.Name) and node.id == name and isinstance(node.ctx, ast.Store)]
    return guarded.issuperset(stores)


def only_feeds_invoke(read: ast.AST, function: FunctionNode) -> bool:
    """Whether a value is used as an argument of `invoke` alone, directly or by a name of its own: which function to call, as AWS's
    handlers read it from the environment. Replay does not look at it again."""
    nodes = list(ast.walk(function))
    given = {inner for call in nodes if _is_invoke(call) for argument in _arguments(call) for inner in ast.walk(argument)}
    if read in given:
        return True
    for node in nodes:
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=value) if value is read:
                used = [n for n in nodes if isinstance(n, ast.Name) and n.id == name and isinstance(n.ctx, ast.Load)]
                return bool(used) and given.issuperset(used)
    return False


def _is_invoke(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "invoke"


def _arguments(call: ast.AST) -> list[ast.expr]:
    assert isinstance(call, ast.Call)
    return [*call.args, *(keyword.value for keyword in call.keywords if keyword.arg != "name")]
