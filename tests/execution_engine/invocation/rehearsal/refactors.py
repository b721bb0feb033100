"""Changes of a function's text that change nothing of what it asks for: each takes a syntax tree and gives it back changed."""

import ast
from collections.abc import Callable, Iterator
from itertools import combinations, count

from tests.execution_engine.invocation.rehearsal.flows import SOURCES

Refactor = Callable[[ast.Module], ast.Module]
_names = count()


def _statements(text: str) -> list[ast.stmt]:
    return ast.parse(text).body


def _expression(text: str) -> ast.expr:
    return ast.parse(text, mode="eval").body


class _EveryBody(ast.NodeTransformer):
    """Calls `change(statement)` for each statement of each body, innermost first; it answers what takes its place."""

    def __init__(self, change: Callable[[ast.stmt], list[ast.stmt]]) -> None:
        self._change = change

    def generic_visit(self, node: ast.AST) -> ast.AST:
        super().generic_visit(node)
        for field in ("body", "orelse"):
            found = getattr(node, field, None)
            if isinstance(found, list) and not isinstance(node, ast.Module):
                setattr(node, field, [new for old in found for new in self._change(old)])
        return node


class _EveryCall(ast.NodeTransformer):
    def __init__(self, method: str, change: Callable[[ast.Call], ast.expr]) -> None:
        self._method = method
        self._change = change

    def visit_Call(self, node: ast.Call) -> ast.expr:
        self.generic_visit(node)
        return self._change(node) if isinstance(node.func, ast.Attribute) and node.func.attr == self._method else node


def _in_every_body(tree: ast.Module, change: Callable[[ast.stmt], list[ast.stmt]]) -> ast.Module:
    return _EveryBody(change).visit(tree)  # type: ignore[no-any-return]


def _steps(tree: ast.Module) -> Iterator[ast.Call]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "step":
            yield node


def reformat(tree: ast.Module) -> ast.Module:
    return tree


def rename_variables(tree: ast.Module) -> ast.Module:
    stored = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    renamed = stored | {node.arg for node in ast.walk(tree) if isinstance(node, ast.arg)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and node.id in renamed:
            node.id = f"{node.id}_renamed"
        elif isinstance(node, ast.arg):
            node.arg = f"{node.arg}_renamed"
    return tree


def rename_inner_functions(tree: ast.Module) -> ast.Module:
    inner = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)} - {"handler"}
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and node.name in inner:
            node.name = f"do_{node.name}"
        elif isinstance(node, ast.Name) and node.id in inner:
            node.id = f"do_{node.id}"
    return tree


def add_logging(tree: ast.Module) -> ast.Module:
    return _in_every_body(tree, lambda old: [*_statements("logging.getLogger('shop').warning('here')\nprint('here')"), old])


def add_pure_code(tree: ast.Module) -> ast.Module:
    return _in_every_body(tree, lambda old: [*_statements(f"spare_{next(_names)} = sorted(n * 2 for n in range(3))"), old])


def add_docstrings(tree: ast.Module) -> ast.Module:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            node.body.insert(0, ast.Expr(ast.Constant("What it does.")))
    return tree


def annotate(tree: ast.Module) -> ast.Module:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            node.returns = ast.Name("object")
            for argument in node.args.args:
                argument.annotation = ast.Name("object")
    return tree


def extract_helper(tree: ast.Module) -> ast.Module:
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and node.name == "handler":
            node.name = "_main"
    arguments = _statements("def handler(event, context):\n    return _main(event, context)")
    tree.body.extend(arguments)
    return tree


def change_step_bodies(tree: ast.Module) -> ast.Module:
    for call in _steps(tree):
        for argument in call.args:
            if isinstance(argument, ast.Lambda):
                argument.body = _expression("['another', 'body']")
    return tree


def lambdas_to_functions(tree: ast.Module) -> ast.Module:
    return _hoisted(tree, "def {name}():\n    return 0", lambda call, index, name: call.args.__setitem__(index, ast.Name(name)))


def lambdas_to_durable_steps(tree: ast.Module) -> ast.Module:
    def use(call: ast.Call, index: int, name: str) -> None:
        call.args[index] = _expression(f"{name}()")

    return _hoisted(tree, "@durable_step\ndef {name}(step):\n    return 0", use)


def _hoisted(tree: ast.Module, template: str, use: Callable[[ast.Call, int, str], None]) -> ast.Module:
    """The lambdas of steps become functions in front of the statement that they stand in."""

    def change(old: ast.stmt) -> list[ast.stmt]:
        if not isinstance(old, ast.Expr | ast.Assign | ast.Return):
            return [old]
        before: list[ast.stmt] = []
        for call in _steps(ast.Module([old], [])):
            for index, argument in enumerate(call.args):
                if isinstance(argument, ast.Lambda) and not argument.args.args and _is_direct(old, call):
                    name = f"body_{next(_names)}"
                    definition = _statements(template.format(name=name))[0]
                    assert isinstance(definition, ast.FunctionDef)
                    definition.body = [ast.Return(argument.body)]
                    use(call, index, name)
                    before.append(definition)
        return [*before, old]

    return _in_every_body(tree, change)


def _is_direct(statement: ast.stmt, call: ast.Call) -> bool:
    """Not inside another lambda, whose arguments a hoisted body would not see."""
    inside = [inner for node in ast.walk(statement) if isinstance(node, ast.Lambda) for inner in ast.walk(node.body)]
    return all(inner is not call for inner in inside)


def loops_to_while(tree: ast.Module) -> ast.Module:
    def change(old: ast.stmt) -> list[ast.stmt]:
        if not isinstance(old, ast.For):
            return [old]
        name = ast.unparse(old.target)
        whole = _statements(f"{name} = 0\nwhile {name} < 3:\n    pass")
        assert isinstance(whole[1], ast.While)
        whole[1].body = [*old.body, *_statements(f"{name} += 1")]
        return whole

    return _in_every_body(tree, change)


def loops_to_comprehensions(tree: ast.Module) -> ast.Module:
    def change(old: ast.stmt) -> list[ast.stmt]:
        if isinstance(old, ast.For) and len(old.body) == 1 and isinstance(old.body[0], ast.Expr):
            return [ast.Expr(ast.ListComp(old.body[0].value, [ast.comprehension(old.target, old.iter, [], 0)]))]
        return [old]

    return _in_every_body(tree, change)


def name_as_keyword(tree: ast.Module) -> ast.Module:
    for call in _steps(tree):
        if call.args and isinstance(call.args[0], ast.Constant | ast.JoinedStr):
            call.keywords.append(ast.keyword("name", call.args.pop(0)))
    return tree


def name_last(tree: ast.Module) -> ast.Module:
    for call in _steps(tree):
        if len(call.args) == 2 and isinstance(call.args[0], ast.Constant):
            call.args.reverse()
    return tree


def invert_conditions(tree: ast.Module) -> ast.Module:
    for node in ast.walk(tree):
        if isinstance(node, ast.If):
            node.test, node.body, node.orelse = ast.UnaryOp(ast.Not(), node.test), node.orelse or [ast.Pass()], node.body
    return tree


def wrap_in_try(tree: ast.Module) -> ast.Module:
    def change(old: ast.stmt) -> list[ast.stmt]:
        if not isinstance(old, ast.Expr):
            return [old]
        whole = _statements("try:\n    pass\nexcept ValueError:\n    raise\nfinally:\n    pass")[0]
        assert isinstance(whole, ast.Try)
        whole.body = [old]
        return [whole]

    return _in_every_body(tree, change)


def names_to_constants(tree: ast.Module) -> ast.Module:
    constants: list[ast.stmt] = []
    for call in _steps(tree):
        if call.args and isinstance(call.args[0], ast.Constant):
            name = f"NAME_{next(_names)}"
            constants += _statements(f"{name} = {call.args[0].value!r}")
            call.args[0] = ast.Name(name)
    tree.body[:0] = constants
    return tree


def names_to_formats(tree: ast.Module) -> ast.Module:
    for call in _steps(tree):
        if call.args and isinstance(call.args[0], ast.Constant):
            call.args[0] = ast.JoinedStr([ast.FormattedValue(call.args[0], -1)])
    return tree


def spell_durations(tree: ast.Module) -> ast.Module:
    def change(call: ast.Call) -> ast.expr:
        if len(call.args) == 2 and isinstance(call.args[1], ast.Constant):
            call.args[1] = _expression(f"timedelta(seconds={call.args[1].value})")
        return call

    return _EveryCall("wait", change).visit(tree)  # type: ignore[no-any-return]


def lengthen_waits(tree: ast.Module) -> ast.Module:
    def change(call: ast.Call) -> ast.expr:
        if len(call.args) == 2 and isinstance(call.args[1], ast.Constant):
            call.args[1] = ast.Constant(int(str(call.args[1].value)) * 2)
        return call

    return _EveryCall("wait", change).visit(tree)  # type: ignore[no-any-return]


def retry_differently(tree: ast.Module) -> ast.Module:
    for call in _steps(tree):
        if not any(keyword.arg == "retry" for keyword in call.keywords):
            call.keywords.append(ast.keyword("retry", _expression("RetryPolicy(max_attempts=7)")))
    return tree


def look_methods_up(tree: ast.Module) -> ast.Module:
    for call in _steps(tree):
        assert isinstance(call.func, ast.Attribute)
        call.func = ast.Call(ast.Name("getattr"), [call.func.value, ast.Constant("step")], [])
    return tree


def assign_twice(tree: ast.Module) -> ast.Module:
    def change(old: ast.stmt) -> list[ast.stmt]:
        if not isinstance(old, ast.Assign):
            return [old]
        name = f"found_{next(_names)}"
        return [ast.Assign([ast.Name(name)], old.value), ast.Assign(old.targets, ast.Name(name))]

    return _in_every_body(tree, change)


def conditions_to_expressions(tree: ast.Module) -> ast.Module:
    def change(old: ast.stmt) -> list[ast.stmt]:
        if isinstance(old, ast.If) and len(old.body) == 1 and not old.orelse and isinstance(old.body[0], ast.Expr):
            return [ast.Expr(ast.IfExp(old.test, old.body[0].value, ast.Constant(None)))]
        return [old]

    return _in_every_body(tree, change)


REFACTORS: list[Refactor] = [
    reformat, rename_variables, rename_inner_functions, add_logging, add_pure_code, add_docstrings, annotate, extract_helper,
    change_step_bodies, lambdas_to_functions, lambdas_to_durable_steps, loops_to_while, loops_to_comprehensions, name_as_keyword,
    name_last, invert_conditions, wrap_in_try, names_to_constants, names_to_formats, spell_durations, lengthen_waits,
    retry_differently, look_methods_up, assign_twice, conditions_to_expressions,
]  # fmt: skip


def refactored(base: str, *refactors: Refactor) -> str:
    tree = ast.parse(SOURCES[base])
    for refactor in refactors:
        tree = ast.parse(ast.unparse(ast.fix_missing_locations(refactor(tree))))
    return ast.unparse(tree)


def all_refactored() -> dict[str, tuple[str, str]]:
    """Base and text by title: each refactoring of each function, and every fourth pair of two. Texts that are equal count once."""
    found: dict[str, tuple[str, str]] = {}
    pairs = [pair for number, pair in enumerate(combinations(REFACTORS, 2)) if number % 4 == 0]
    for base in SOURCES:
        for refactors in (*((one,) for one in REFACTORS), *pairs):
            text = refactored(base, *refactors)
            title = f"{base}: {', '.join(one.__name__.replace('_', ' ') for one in refactors)}"
            if (base, text) not in found.values():
                found[title] = (base, text)
    return found
