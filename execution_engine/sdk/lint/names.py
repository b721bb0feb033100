"""What the names of a source file stand for: imports, functions, assigned values, scope by scope."""

import ast
import builtins
import io
import re
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass, field

FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)
_SILENCE = re.compile(r"#\s*durable:\s*ok\b", re.IGNORECASE)


@dataclass(eq=False)
class Scope:
    """The names bound by one module, class or function. `values` holds what is assigned to a name, nothing for a
    parameter; `appended` what is put into a list of that name here; `changed` the names that are declared global or nonlocal
    and assigned here; `owner` the class of a method."""

    node: ast.AST
    outer: "Scope | None" = None
    owner: "Scope | None" = None
    imports: dict[str, str] = field(default_factory=dict)
    functions: dict[str, FunctionNode] = field(default_factory=dict)
    values: dict[str, list[ast.expr]] = field(default_factory=dict)
    appended: dict[str, list[ast.expr]] = field(default_factory=dict)
    borrowed: set[str] = field(default_factory=set)
    changed: set[str] = field(default_factory=set)

    def binder(self, name: str) -> "Scope | None":
        """The innermost scope that binds the name."""
        scope: Scope | None = self
        while scope is not None:
            if name not in scope.borrowed and (name in scope.imports or name in scope.functions or name in scope.values):
                return scope
            scope = scope.outer
        return None

    def dotted(self, node: ast.AST) -> str | None:
        """The full name of what an expression names: `dt.now` is "datetime.datetime.now" after such an import.

        A name that nothing in the file binds, as after `import *`, stands for itself; one that is computed has no full name.
        """
        if isinstance(node, ast.Attribute):
            before = self.dotted(node.value)
            return None if before is None else f"{before}.{node.attr}"
        if not isinstance(node, ast.Name):
            return None
        scope = self.binder(node.id)
        if scope is None:
            return f"builtins.{node.id}" if hasattr(builtins, node.id) else node.id
        if node.id in scope.imports:
            return scope.imports[node.id]
        values = scope.values.get(node.id, [])
        is_alias = len(values) == 1 and isinstance(values[0], ast.Name | ast.Attribute) and node.id not in scope.functions
        return scope.dotted(values[0]) if is_alias and _root(values[0]) != node.id else None

    def function(self, name: str) -> FunctionNode | None:
        scope = self.binder(name)
        return None if scope is None else scope.functions.get(name)

    def assigned(self, name: str) -> list[tuple[ast.expr, "Scope"]]:
        scope = self.binder(name)
        if scope is None:
            return []
        return [(value, scope) for value in (*scope.values.get(name, []), *scope.appended.get(name, []))]


class SourceFile:
    """A parsed module: its scopes by node, and the lines on which an author silenced the lint."""

    def __init__(self, text: str) -> None:
        self.tree = ast.parse(text)
        self.silenced = frozenset(_silenced(text))
        self.module = Scope(self.tree)
        self.scopes: dict[ast.AST, Scope] = {self.tree: self.module}
        self._bind(self.tree, self.module)

    def function_at(self, line: int, name: str) -> FunctionNode | None:
        """The function whose code begins on that line, decorators included."""
        for node in self.scopes:
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
                if node.name == name and line in (first, node.lineno):
                    return node
            elif isinstance(node, ast.Lambda) and name == "<lambda>" and node.lineno == line:
                return node
        return None

    def _bind(self, parent: ast.AST, scope: Scope) -> None:
        for node in ast.iter_child_nodes(parent):
            _bind_names(node, scope)
            if isinstance(node, SCOPES):
                if not isinstance(node, ast.Lambda):
                    scope.values.setdefault(node.name, [])
                if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                    scope.functions[node.name] = node
                is_method = isinstance(scope.node, ast.ClassDef)
                inner = Scope(node, scope.outer if is_method else scope, scope if is_method else None)
                self.scopes[node] = inner
                self._bind(node, inner)
            else:
                self._bind(node, scope)


def _bind_names(node: ast.AST, scope: Scope) -> None:
    match node:
        case ast.Import():
            for alias in node.names:
                scope.imports[alias.asname or alias.name.partition(".")[0]] = alias.name if alias.asname else alias.name.partition(".")[0]
        case ast.ImportFrom():
            for alias in node.names:
                scope.imports[alias.asname or alias.name] = f"{'.' * node.level}{node.module or ''}.{alias.name}"
        case ast.Global() | ast.Nonlocal():
            scope.borrowed.update(node.names)
        case ast.arg():
            scope.values.setdefault(node.arg, [])
        case ast.Assign():
            for target in node.targets:
                _assign(target, node.value, scope)
        case ast.AnnAssign() | ast.NamedExpr():
            _assign(node.target, node.value, scope)
        case ast.withitem() if node.optional_vars is not None:
            _assign(node.optional_vars, node.context_expr, scope)
        case ast.Name(ctx=ast.Store()):
            scope.values.setdefault(node.id, [])
            scope.changed.update({node.id} & scope.borrowed)
        case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr="append" | "extend" | "insert")) if node.args:
            scope.appended.setdefault(name, []).append(node.args[-1])
        case ast.ExceptHandler(name=str(name)) | ast.MatchAs(name=str(name)):
            scope.values.setdefault(name, [])


def _assign(target: ast.AST, value: ast.expr | None, scope: Scope) -> None:
    if isinstance(target, ast.Name) and value is not None:
        scope.values.setdefault(target.id, []).append(value)


def _root(node: ast.AST) -> str | None:
    while isinstance(node, ast.Attribute):
        node = node.value
    return node.id if isinstance(node, ast.Name) else None


def _silenced(text: str) -> Iterator[int]:
    """Lines with `# durable: ok`; a comment that stands alone speaks of the next line too."""
    try:
        tokens = list(tokenize.generate_tokens(io.StringIO(text).readline))
    except (tokenize.TokenError, IndentationError):
        return
    for token in tokens:
        if token.type == tokenize.COMMENT and _SILENCE.search(token.string):
            yield token.start[0]
            if not token.line[: token.start[1]].strip():
                yield token.start[0] + 1
