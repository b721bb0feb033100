"""Tells the arguments of a durable call apart and checks them before anything is recorded: every refusal is a `ValidationError`."""

from collections.abc import Callable, Sequence, Set, Sized
from typing import Any, TypeVar, cast

from execution_engine.sdk.config import ParallelBranch
from execution_engine.sdk.durations import MAX_WAIT_SECONDS, DurationLike, as_duration, bounded_seconds
from execution_engine.sdk.errors import ValidationError

C = TypeVar("C")
SHOWN_CHARACTERS = 200


def name_first(func: Any, name: Any, method: str) -> tuple[Callable[..., Any], str | None]:
    """Callable and name, whether the call was written `(func, name)` or `("name", func)`."""
    if isinstance(func, str):
        func, name = name, func
    if not callable(func):
        raise ValidationError(f"{method} needs a callable, got {_shown(func)}: hand over the function itself, or a lambda that calls it")
    if name is not None and not isinstance(name, str):
        raise ValidationError(f"the name of a {method} is a text, got {_shown(name)}")
    return func, name


def config_of(given: C | None, default: C, method: str) -> C:
    """The config, or the default when none is given."""
    if given is None:
        return default
    kind = type(default)
    if not isinstance(given, kind):
        raise ValidationError(f"{method} takes config={kind.__name__}(...), got {_shown(given)}")
    return given


def timeouts_of(timeout: DurationLike | None, heartbeat_timeout: DurationLike | None) -> dict[str, Any]:
    """The time-outs that were given as keywords, as fields of a `CallbackConfig`."""
    given = {"timeout": timeout, "heartbeat_timeout": heartbeat_timeout}
    return {field: as_duration(value, field) for field, value in given.items() if value is not None}


def wait_of(duration: Any, name: Any, units: dict[str, float]) -> tuple[int, str | None]:
    """Seconds and name of a wait, in whichever order they were given."""
    if isinstance(duration, str) or (duration is None and name is not None and not isinstance(name, str)):
        duration, name = name, duration
    if units:
        if duration is not None:
            raise ValidationError("wait takes a duration or units such as seconds=, not both")
        duration = units
    if duration is None:
        got = "" if name is None else f", got only the name {_shown(name)}"
        raise ValidationError(f"wait needs a duration, such as wait(seconds=300) or wait('pause', {{'minutes': 5}}){got}")
    if name is not None and not isinstance(name, str):
        raise ValidationError(f"the name of a wait is a text, got {_shown(name)}")
    return bounded_seconds(duration, "duration", low=1, high=MAX_WAIT_SECONDS), name


def items_of(inputs: Any) -> Sequence[Any]:
    """The items of a map. A set is refused: its order differs between processes, and a branch is identified by its position."""
    if not _is_in_order(inputs):
        raise ValidationError(
            f"map needs its inputs as a list, in an order that is the same on every replay: list(...) of an iterator, sorted(...) of a "
            f"set; got {_shown(inputs)}"
        )
    return cast(Sequence[Any], inputs)


def functions_of(functions: Any) -> Sequence[Callable[..., Any]]:
    """The functions of a `parallel`, in order."""
    if not _is_in_order(functions) or isinstance(functions, str):
        raise ValidationError(f"parallel needs a list of functions, got {_shown(functions)}")
    for index, function in enumerate(functions):
        if not callable(function.func if isinstance(function, ParallelBranch) else function):
            raise ValidationError(
                f"parallel needs callables, got {_shown(function)} at index {index}: hand over functions, not their results"
            )
    return cast(Sequence[Callable[..., Any]], functions)


def _is_in_order(values: Any) -> bool:
    return isinstance(values, Sized) and not isinstance(values, Set)


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= SHOWN_CHARACTERS else f"{text[:SHOWN_CHARACTERS]}..."
