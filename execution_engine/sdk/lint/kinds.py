"""What an expression is: a client of a network service, a row of a model, a set, a durable context."""

import ast
from typing import Any

from execution_engine.sdk.lint import rules
from execution_engine.sdk.lint.names import Scope

_DEPTH = 6  # how many assignments are followed back


def is_context(node: ast.AST, scope: Scope) -> bool:
    """By its usual names, its annotation, or as the parameter of a handler; `self.context` too."""
    if isinstance(node, ast.Attribute):
        return node.attr.lstrip("_") in rules.CONTEXT_NAMES
    if not isinstance(node, ast.Name):
        return False
    return node.id in rules.CONTEXT_NAMES or node.id in _annotated_contexts(scope)


def _annotated_contexts(scope: Scope | None) -> set[str]:
    found = set()
    while scope is not None:
        if isinstance(scope.node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            for parameter in (*scope.node.args.posonlyargs, *scope.node.args.args):
                annotation = "" if parameter.annotation is None else ast.unparse(parameter.annotation)
                if annotation.strip("'").endswith("DurableContext"):
                    found.add(parameter.arg)
        scope = scope.outer
    return found


def is_client(node: ast.AST, scope: Scope, depth: int = _DEPTH) -> bool:
    """Whether its methods talk to the network: `boto3.client("s3")`, or a name that one was assigned to."""
    if depth == 0:
        return False
    if isinstance(node, ast.Await):
        return is_client(node.value, scope, depth - 1)
    if isinstance(node, ast.Name):
        return any(is_client(value, where, depth - 1) for value, where in scope.assigned(node.id))
    if not isinstance(node, ast.Call):
        return False
    return scope.dotted(node.func) in rules.CLIENTS or makes_client(node, scope, depth)


def makes_client(node: ast.Call, scope: Scope, depth: int = _DEPTH) -> bool:
    """`session.client("s3")`, and `dynamodb.Table("orders")`: resources name what they make with a capital."""
    if not isinstance(node.func, ast.Attribute) or not is_client(node.func.value, scope, depth - 1):
        return False
    return node.func.attr in rules.CLIENT_MAKERS or node.func.attr[:1].isupper()


def is_model(node: ast.AST, scope: Scope, namespace: dict[str, Any]) -> bool:
    """Whether it is a class with managers. What is loaded decides; what is not, by the look of its name."""
    if isinstance(node, ast.Call):
        return (scope.dotted(node.func) or "").endswith(("get_user_model", "apps.get_model"))
    name = node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""
    binder = scope.binder(node.id) if isinstance(node, ast.Name) else None
    if binder is not None and isinstance(binder.node, ast.Module) and node_id(node) in namespace:
        return hasattr(namespace[node_id(node)], "_meta")
    return name[:1].isupper() and not name.isupper()


def is_row(node: ast.AST, scope: Scope, namespace: dict[str, Any], depth: int = _DEPTH) -> bool:
    """Whether it is surely an instance of a model: made from it or fetched by it, or a name for that."""
    if depth == 0:
        return False
    if isinstance(node, ast.Name):
        return any(is_row(value, where, namespace, depth - 1) for value, where in scope.assigned(node.id))
    if not isinstance(node, ast.Call):
        return False
    if (scope.dotted(node.func) or "").endswith("django.shortcuts.get_object_or_404"):
        return True
    if isinstance(node.func, ast.Name) and hasattr(namespace.get(node.func.id), "_meta"):
        return is_model(node.func, scope, namespace)
    return isinstance(node.func, ast.Attribute) and node.func.attr in rules.ONE_ROW and has_manager(node.func.value, scope, namespace)


def has_manager(node: ast.AST, scope: Scope, namespace: dict[str, Any]) -> bool:
    """`Order.objects`, or a chain of calls on it."""
    while True:
        if isinstance(node, ast.Attribute) and node.attr in rules.MANAGERS:
            return is_model(node.value, scope, namespace)
        if isinstance(node, ast.Call):
            node = node.func
        elif isinstance(node, ast.Attribute):
            node = node.value
        else:
            return False


def is_set(node: ast.AST, scope: Scope, depth: int = _DEPTH) -> bool:
    """Whether iterating it follows the order of a set."""
    if depth == 0:
        return False
    if isinstance(node, ast.Set | ast.SetComp):
        return True
    if isinstance(node, ast.ListComp | ast.GeneratorExp):
        return is_set(node.generators[0].iter, scope, depth - 1)
    if isinstance(node, ast.BinOp):
        is_operator = isinstance(node.op, ast.BitOr | ast.BitAnd | ast.Sub | ast.BitXor)
        return is_operator and (is_set(node.left, scope, depth - 1) or is_set(node.right, scope, depth - 1))
    if isinstance(node, ast.Name):
        binder = scope.binder(node.id)
        values = [] if binder is None else binder.values.get(node.id, [])
        return bool(values) and binder is not None and all(is_set(value, binder, depth - 1) for value in values)
    if not isinstance(node, ast.Call):
        return False
    if isinstance(node.func, ast.Attribute):
        return node.func.attr in rules.SET_METHODS and is_set(node.func.value, scope, depth - 1)
    name = (scope.dotted(node.func) or "").removeprefix("builtins.")
    if name in ("set", "frozenset"):
        return True
    return name in rules.KEEPS_ORDER and any(is_set(argument, scope, depth - 1) for argument in node.args)


def is_container(node: ast.AST, scope: Scope) -> bool:
    """Whether an assigned value is a fresh list, dict or set."""
    if isinstance(node, ast.Call):
        return (scope.dotted(node.func) or "").rpartition(".")[2] in rules.CONTAINERS
    return isinstance(node, ast.List | ast.Dict | ast.Set | ast.ListComp | ast.DictComp | ast.SetComp)


def node_id(node: ast.AST) -> str:
    return node.id if isinstance(node, ast.Name) else ""
