"""Which callables get a context."""

from functools import partial, wraps
from typing import Any

import pytest

from execution_engine import durable_step, durable_with_child_context
from execution_engine.sdk.callables import original_name, wants_context


class Thing:
    def with_step(self, step: Any) -> None: ...
    def without(self) -> None: ...
    def with_default(self, other: int = 1) -> None: ...
    def __call__(self, first: Any) -> None: ...


class Quiet:
    def __call__(self) -> None: ...


def wrapping(func: Any) -> Any:
    @wraps(func)
    def call(*args: Any, **kwargs: Any) -> Any:
        return func(*args, **kwargs)

    return call


@pytest.mark.parametrize(
    ("func", "expected"),
    [
        (lambda: 1, False),
        (lambda _: 1, True),
        (lambda order=1: order, False),
        (lambda ctx=None: ctx, True),
        (lambda context=None: context, True),
        (lambda step=None: step, True),
        (lambda *args: args, True),
        (lambda **kwargs: kwargs, False),
        (lambda *, needed: needed, False),
        (Thing().with_step, True),
        (Thing().without, False),
        (Thing().with_default, False),
        (Thing(), True),
        (Quiet(), False),
        (partial(lambda a, b: a, 1), True),
        (partial(lambda a: a, 1), False),
        (wrapping(lambda: 1), False),
        (wrapping(lambda step: 1), True),
        (dict, True),
        (len, True),
    ],
)
def test_a_callable_gets_the_context_if_it_can_take_it(func: Any, expected: bool) -> None:
    assert wants_context(func) is expected


@pytest.mark.parametrize(
    ("func", "expected"),
    [
        (lambda callback_id: 1, False),
        (lambda callback_id, context: 1, True),
        (lambda callback_id, context=None: 1, True),
        (lambda callback_id, url="x": 1, False),
        (lambda *args: 1, True),
        (partial(lambda a, b, c: 1, 0), True),
    ],
)
def test_a_second_argument_is_decided_alike(func: Any, expected: bool) -> None:
    assert wants_context(func, 1) is expected


def test_only_decorated_functions_bring_a_name() -> None:
    @durable_step
    def pay(step: Any) -> None: ...

    @durable_with_child_context
    def ship(context: Any) -> None: ...

    assert (original_name(pay()), original_name(ship()), original_name(lambda: 1)) == ("pay", "ship", None)
    assert pay.__name__ == "pay"
