"""Follows the code of a function that runs again on replay, and leaves out what does not.

Replays: the handler, the bodies of child contexts and branches, and the helpers of the same module that these call. Does not:
whatever is handed on uncalled (bodies of steps, submitters, checks, strategies) and functions decorated as steps.
"""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from execution_engine.sdk.fingerprint import DURABLE_METHODS
from execution_engine.sdk.lint import rules
from execution_engine.sdk.lint.bodies import is_made_once, lost_changes, only_feeds_invoke
from execution_engine.sdk.lint.calls import is_log_call, reads_environment, rule_for
from execution_engine.sdk.lint.kinds import is_context, is_set
from execution_engine.sdk.lint.names import SCOPES, FunctionNode, Scope, SourceFile
from execution_engine.sdk.lint.rules import Rule

_KNOWN_DECORATORS = rules.TRANSPARENT | rules.BODY_REPLAYED | rules.BODY_NOT_REPLAYED
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


@dataclass(frozen=True)
class Place:
    """A breach: `text` is the code that breaks the rule, `lines` those on which a comment may excuse it."""

    rule: Rule
    text: str
    line: int
    function: str
    lines: tuple[int, ...]


class Walk:
    """One function's replayed code. `places` fills in the order of the source's reading."""

    def __init__(self, source: SourceFile, namespace: dict[str, Any]) -> None:
        self.places: list[Place] = []
        self._source = source
        self._namespace = namespace
        self._seen: set[FunctionNode] = set()
        self._function: FunctionNode | None = None
        self._statement = 0
        self._is_logging = False

    def body(self, node: FunctionNode) -> None:
        """Reads a function that replays, once."""
        if node in self._seen:
            return
        self._seen.add(node)
        outer = self._function, self._statement, self._is_logging
        self._function, self._is_logging = node, False
        scope = self._source.scopes[node]
        for child in [node.body] if isinstance(node, ast.Lambda) else node.body:
            self._visit(child, scope)
        self._function, self._statement, self._is_logging = outer

    def _visit(self, node: ast.AST, scope: Scope) -> None:
        if isinstance(node, SCOPES):
            return
        if isinstance(node, ast.stmt):
            self._statement = node.lineno
        if isinstance(node, ast.Global):
            self._globals(node, scope)
        elif isinstance(node, ast.For) and is_set(node.iter, scope) and self._is_durable(node.body, scope):
            self._breach(rules.ORDER, node.iter, ast.unparse(node.iter))
        elif isinstance(node, _COMPREHENSIONS):
            self._comprehension(node, scope)
        elif reads_environment(node, scope):
            self._breach(rules.ENVIRONMENT, node, ast.unparse(node))
        if isinstance(node, ast.Call):
            self._call(node, scope)
            return
        for child in ast.iter_child_nodes(node):
            self._visit(child, scope)

    def _call(self, call: ast.Call, scope: Scope) -> None:
        rule = rule_for(call, scope, self._namespace)
        if rule is not None:
            self._breach(rule, call, f"{ast.unparse(call.func)}()")
        arguments = [*call.args, *(keyword.value for keyword in call.keywords)]
        method = call.func.attr if isinstance(call.func, ast.Attribute) else ""
        name = scope.dotted(call.func) or ""
        if method in DURABLE_METHODS and isinstance(call.func, ast.Attribute) and is_context(call.func.value, scope):
            self._durable_call(method, arguments, scope)
        elif name.endswith("with_retry") or method in ("parallel", "run_in_child_context"):
            self._branches(arguments, scope)
        elif (called := self._called(call.func, scope)) is not None and not _is_step(called):
            self.body(called)
        outer, self._is_logging = self._is_logging, self._is_logging or is_log_call(call, scope)
        for child in (call.func, *arguments):
            is_inline = isinstance(child, ast.Lambda) and name.removeprefix("builtins.") in rules.CALLS_ITS_ARGUMENT
            if is_inline and isinstance(child, ast.Lambda):
                self.body(child)
            self._visit(child, scope)
        self._is_logging = outer

    def _durable_call(self, method: str, arguments: list[ast.expr], scope: Scope) -> None:
        if method in rules.BRANCHING:
            self._branches(arguments, scope)
            for argument in arguments:
                if is_set(argument, scope):
                    self._breach(rules.ORDER, argument, ast.unparse(argument))
        for argument in arguments:
            for body in self._callables(argument, scope):
                self._lost_changes(body)

    def _branches(self, arguments: list[ast.expr], scope: Scope) -> None:
        for argument in arguments:
            for body in self._callables(argument, scope):
                if not _is_step(body):
                    self.body(body)

    def _lost_changes(self, body: FunctionNode) -> None:
        """What a body changes in the function around it: replay takes the record in place of the body, and it is as before."""
        for change in lost_changes(body, self._source.scopes[body], self._seen):
            self._breach(rules.STATE, change.node, change.text)

    def _globals(self, node: ast.Global, scope: Scope) -> None:
        if changed := sorted(name for name in scope.changed & set(node.names) if not is_made_once(name, scope.node)):
            self._breach(rules.STATE, node, f"global {', '.join(changed)}")

    def _comprehension(self, node: ast.AST, scope: Scope) -> None:
        generators: list[ast.comprehension] = getattr(node, "generators", [])
        for generator in generators:
            if is_set(generator.iter, scope) and self._is_durable([node], scope):
                self._breach(rules.ORDER, generator.iter, ast.unparse(generator.iter))

    def _is_durable(self, nodes: list[Any], scope: Scope) -> bool:
        """Whether a durable call is made in there, or a context handed on."""
        calls = (node for start in nodes for node in ast.walk(start) if isinstance(node, ast.Call))
        return any(
            (isinstance(call.func, ast.Attribute) and call.func.attr in DURABLE_METHODS and is_context(call.func.value, scope))
            or any(is_context(argument, scope) for argument in call.args)
            for call in calls
        )

    def _called(self, func: ast.expr, scope: Scope) -> FunctionNode | None:
        """The function of this file that a call runs at once; None where a decorator may change what it does."""
        found = self._local(func, scope)
        return None if found is None or _decorators(found) - _KNOWN_DECORATORS else found

    def _local(self, func: ast.expr, scope: Scope) -> FunctionNode | None:
        if isinstance(func, ast.Name):
            return scope.function(func.id)
        if isinstance(func, ast.Attribute) and isinstance(func.value, ast.Name) and func.value.id in ("self", "cls"):
            method: Scope | None = scope
            while method is not None and method.owner is None:
                method = method.outer
            return None if method is None or method.owner is None else method.owner.functions.get(func.attr)
        return None

    def _callables(self, node: ast.AST, scope: Scope, depth: int = 6) -> Iterator[FunctionNode]:
        """The functions of this file that an expression hands on to be called later."""
        if depth == 0:
            return
        if isinstance(node, ast.Lambda):
            yield node
        elif isinstance(node, ast.Name | ast.Attribute):
            if (found := self._local(node, scope)) is not None:
                yield found
            elif isinstance(node, ast.Name):
                for value, where in scope.assigned(node.id):
                    yield from self._callables(value, where, depth - 1)
        elif isinstance(node, ast.Call):
            yield from self._made(node, scope, depth - 1)
        elif isinstance(node, ast.List | ast.Tuple | ast.ListComp | ast.GeneratorExp | ast.Starred | ast.IfExp | ast.BinOp):
            for child in ast.iter_child_nodes(node):
                yield from self._callables(child, scope, depth - 1)

    def _made(self, call: ast.Call, scope: Scope, depth: int) -> Iterator[FunctionNode]:
        name = (scope.dotted(call.func) or "").rpartition(".")[2]
        if name in ("ParallelBranch", "partial"):
            for argument in [*call.args[:1], *(keyword.value for keyword in call.keywords if keyword.arg == "func")]:
                yield from self._callables(argument, scope, depth)
        elif (maker := self._local(call.func, scope)) is not None:
            if _decorators(maker) & (rules.BODY_REPLAYED | rules.BODY_NOT_REPLAYED):
                yield maker
            else:
                for returned in _returns(maker):
                    yield from self._callables(returned, self._source.scopes[maker], depth)

    def _breach(self, rule: Rule, node: ast.AST, text: str) -> None:
        if self._is_logging and rule in rules.VALUES_ONLY:
            return
        if rule is rules.ENVIRONMENT and self._function is not None and only_feeds_invoke(node, self._function):
            return
        line, function = getattr(node, "lineno", 0), self._function
        first = getattr(function, "lineno", 0)
        lines = (line, getattr(node, "end_lineno", line) or line, self._statement, first)
        self.places.append(Place(rule, text, line, getattr(function, "name", "a lambda"), lines))


def _decorators(node: FunctionNode) -> set[str]:
    found = set()
    for decorator in getattr(node, "decorator_list", []):
        target = decorator.func if isinstance(decorator, ast.Call) else decorator
        found.add(target.attr if isinstance(target, ast.Attribute) else getattr(target, "id", "?"))
    return found


def _is_step(node: FunctionNode) -> bool:
    return bool(_decorators(node) & rules.BODY_NOT_REPLAYED)


def _returns(node: FunctionNode) -> Iterator[ast.expr]:
    if isinstance(node, ast.Lambda):
        yield node.body
        return
    pending: list[ast.AST] = list(node.body)
    while pending:
        found = pending.pop()
        if isinstance(found, ast.Return) and found.value is not None:
            yield found.value
        elif not isinstance(found, SCOPES):
            pending.extend(ast.iter_child_nodes(found))
