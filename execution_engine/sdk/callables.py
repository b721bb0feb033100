"""Which arguments a callable expects, and decorators that bind arguments before a durable call."""

import inspect
from collections.abc import Callable
from functools import wraps
from types import FunctionType, MethodType
from typing import Any, Concatenate, ParamSpec, TypeVar

from execution_engine.sdk.config import ParallelBranch
from execution_engine.sdk.types import StepContext, WaitForCallbackContext

P = ParamSpec("P")
T = TypeVar("T")
C = TypeVar("C")

_CONTEXT_NAMES = frozenset({"ctx", "context", "step"})
_POSITIONAL = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)


def wants_context(func: Callable[..., Any], index: int = 0) -> bool:
    """Whether `func` gets a context as positional argument number `index`.

    It does when that parameter is required, is named ctx, context or step, when there is `*args`, or when `func` cannot be
    inspected. So `lambda: ...` and `lambda order=order: ...` work, and so does every callable written for AWS.
    """
    bound = 0
    target: Any = func
    if type(target) is MethodType:
        target, bound = target.__func__, 1
    if type(target) is not FunctionType or hasattr(target, "__wrapped__"):
        return _wants_by_signature(func, index)
    code = target.__code__
    if code.co_flags & inspect.CO_VARARGS:
        return True
    position = index + bound
    if position >= code.co_argcount:
        return False
    required = code.co_argcount - len(target.__defaults__ or ())
    return position < required or code.co_varnames[position] in _CONTEXT_NAMES


def _wants_by_signature(func: Callable[..., Any], index: int) -> bool:
    try:
        parameters = list(inspect.signature(func).parameters.values())
    except (TypeError, ValueError):
        return True
    if any(parameter.kind is inspect.Parameter.VAR_POSITIONAL for parameter in parameters):
        return True
    positional = [parameter for parameter in parameters if parameter.kind in _POSITIONAL]
    if index >= len(positional):
        return False
    parameter = positional[index]
    return parameter.default is inspect.Parameter.empty or parameter.name in _CONTEXT_NAMES


def original_name(func: Any) -> str | None:
    """The name of a function that a decorator of this module wrapped; None for plain functions and lambdas, as in AWS's SDK."""
    return getattr(func, "_original_name", None)


def durable_step(func: Callable[Concatenate[StepContext, P], T]) -> Callable[P, Callable[[StepContext], T]]:
    """Lets a step take arguments: `f(step_context, ...)` is then called as `f(...)`, which returns what `context.step` takes.

    The step is named after `f`.
    """
    return _binding(func)


def durable_with_child_context(func: Callable[Concatenate[C, P], T]) -> Callable[P, Callable[[C], T]]:
    """As `durable_step`, for `f(child_context, ...)` and `context.run_in_child_context`."""
    return _binding(func)


def _binding(func: Callable[Concatenate[C, P], T]) -> Callable[P, Callable[[C], T]]:
    @wraps(func)
    def bind(*args: P.args, **kwargs: P.kwargs) -> Callable[[C], T]:
        def call(context: C) -> T:
            return func(context, *args, **kwargs)

        call._original_name = func.__name__  # type: ignore[attr-defined]
        return call

    return bind


def durable_parallel_branch(
    name: str | None = None,
) -> Callable[[Callable[Concatenate[C, P], T]], Callable[P, ParallelBranch[T]]]:
    """As `durable_step`, for `f(context, ...)` and the branches of `context.parallel`; the branch is called `name`."""

    def decorate(func: Callable[Concatenate[C, P], T]) -> Callable[P, ParallelBranch[T]]:
        @wraps(func)
        def bind(*args: P.args, **kwargs: P.kwargs) -> ParallelBranch[T]:
            return ParallelBranch(lambda context: func(context, *args, **kwargs), name)

        return bind

    return decorate


def durable_wait_for_callback(
    func: Callable[Concatenate[str, WaitForCallbackContext, P], T],
) -> Callable[P, Callable[[str, WaitForCallbackContext], T]]:
    """As `durable_step`, for `f(callback_id, context, ...)` and the submitter of `context.wait_for_callback`."""

    @wraps(func)
    def bind(*args: P.args, **kwargs: P.kwargs) -> Callable[[str, WaitForCallbackContext], T]:
        def submit(callback_id: str, context: WaitForCallbackContext) -> T:
            return func(callback_id, context, *args, **kwargs)

        submit._original_name = func.__name__  # type: ignore[attr-defined]
        return submit

    return bind
