"""The judgement of one call."""

import ast
from typing import Any

from execution_engine.sdk.lint import rules
from execution_engine.sdk.lint.kinds import has_manager, is_client, is_row, makes_client
from execution_engine.sdk.lint.names import Scope
from execution_engine.sdk.lint.rules import Rule


def rule_for(call: ast.Call, scope: Scope, namespace: dict[str, Any]) -> Rule | None:
    """The rule that a call outside a step breaks. `namespace` is what the module holds at run time."""
    name = scope.dotted(call.func) or ""
    if (rule := rules.FUNCTIONS.get(name)) is not None:
        return rule
    has_arguments = bool(call.args or call.keywords)
    if name in rules.CLOCK_WITHOUT_ARGUMENTS and not has_arguments:
        return rules.CLOCK
    if name == "time.strftime" and len(call.args) < 2:
        return rules.CLOCK
    if name.startswith(rules.CHANCE_MODULES) and name not in rules.NO_CHANCE:
        return None if name in rules.SEEDED and has_arguments else rules.CHANCE
    return _by_receiver(call, scope, namespace) if isinstance(call.func, ast.Attribute) else None


def _by_receiver(call: ast.Call, scope: Scope, namespace: dict[str, Any]) -> Rule | None:
    assert isinstance(call.func, ast.Attribute)
    receiver, method = call.func.value, call.func.attr
    if isinstance(receiver, ast.Attribute) and has_manager(receiver, scope, namespace):
        return rules.DATABASE
    if method in rules.MODEL_METHODS and is_row(receiver, scope, namespace):
        return rules.DATABASE
    if method == "cursor" and isinstance(receiver, ast.Subscript) and scope.dotted(receiver.value) == "django.db.connections":
        return rules.DATABASE
    if is_client(receiver, scope) and method not in rules.QUIET_CLIENT_METHODS and not makes_client(call, scope):
        return rules.NETWORK
    if method in rules.PATH_METHODS and isinstance(receiver, ast.Call) and scope.dotted(receiver.func) == "pathlib.Path":
        return rules.FILE
    return _by_object(receiver, method, scope, namespace)


def _by_object(receiver: ast.expr, method: str, scope: Scope, namespace: dict[str, Any]) -> Rule | None:
    """Celery tasks and durable functions, told by what the module really holds under the name."""
    if not isinstance(receiver, ast.Name) or method not in ("delay", "apply_async", "start", "run"):
        return None
    binder = scope.binder(receiver.id)
    if binder is None or not isinstance(binder.node, ast.Module):
        return None
    found = namespace.get(receiver.id)
    if method in ("delay", "apply_async"):
        return rules.EFFECT if callable(getattr(found, "apply_async", None)) else None
    return rules.START if hasattr(found, "definition") and callable(getattr(found, "start", None)) else None


def reads_environment(node: ast.AST, scope: Scope) -> bool:
    """`os.environ["X"]`; the calls are in the table."""
    return isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Load) and scope.dotted(node.value) == "os.environ"


def is_log_call(call: ast.Call, scope: Scope) -> bool:
    """`context.logger.info(...)`, `logger.info(...)`, `logging.info(...)`, `print(...)`."""
    if scope.dotted(call.func) == "builtins.print":
        return True
    if not isinstance(call.func, ast.Attribute) or call.func.attr not in rules.LOG_METHODS:
        return False
    receiver = call.func.value
    name = receiver.attr if isinstance(receiver, ast.Attribute) else receiver.id if isinstance(receiver, ast.Name) else ""
    return name.lower().lstrip("_") in ("logger", "log", "logging")
