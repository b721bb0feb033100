"""Arithmetic on numbers, and nothing else that Python could do."""

import ast
import operator
from collections.abc import Callable

MAX_LENGTH = 200

_BINARY: dict[type[ast.operator], Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}
_UNARY: dict[type[ast.unaryop], Callable[[float], float]] = {ast.UAdd: operator.pos, ast.USub: operator.neg}


class NotArithmetic(ValueError):
    """The text is more, or less, than numbers with + - * / and brackets."""


def calculate(expression: str) -> float:
    """The value of the expression, rounded to ten digits. Raises `NotArithmetic` or `ZeroDivisionError`."""
    if len(expression) > MAX_LENGTH:
        raise NotArithmetic(f"an expression may have {MAX_LENGTH} characters, this one has {len(expression)}")
    try:
        tree = ast.parse(expression.strip(), mode="eval")
    except SyntaxError:
        raise NotArithmetic(f"{expression!r} is not arithmetic") from None
    return round(_value(tree.body), 10)


def _value(node: ast.expr) -> float:
    match node:
        case ast.Constant(value=int() | float() as number) if not isinstance(number, bool):
            return float(number)
        case ast.BinOp(left=left, op=sign, right=right) if type(sign) in _BINARY:
            return _BINARY[type(sign)](_value(left), _value(right))
        case ast.UnaryOp(op=sign, operand=operand) if type(sign) in _UNARY:
            return _UNARY[type(sign)](_value(operand))
    raise NotArithmetic("only numbers, + - * / and brackets can be calculated")
