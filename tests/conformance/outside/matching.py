"""Whether a value is the one that a requirement describes.

`*` and `{}` are any value, `${/regex/}` a text that fits, `${NAME}` a value bound at its first meeting and equal ever after.
"""

import random
import re
import string
from collections.abc import Iterator, Mapping
from typing import Any

_WHOLE = re.compile(r"\$\{([^/}][^}]*)\}")
_REGEX = re.compile(r"\$\{/(.+)/\}", re.DOTALL)
_MADE = re.compile(r"\$\{GEN_STR:(\d+)\}")
_MISSING = object()


def made_variables(described: Mapping[str, Any] | None) -> dict[str, Any]:
    """`${GEN_STR:8}` is a random text of eight letters."""
    letters = string.ascii_letters + string.digits
    made: dict[str, Any] = {}
    for name, value in (described or {}).items():
        wanted = _MADE.fullmatch(str(value))
        made[name] = value if wanted is None else "".join(random.choices(letters, k=int(wanted[1])))
    return made


def filled(value: Any, names: Mapping[str, Any]) -> Any:
    """The value with the variables known so far in their places."""
    if isinstance(value, str):
        whole = _WHOLE.fullmatch(value)
        if whole is not None and whole[1] in names:
            return names[whole[1]]
        return re.sub(r"\$\{(\w+)\}", lambda found: str(names.get(found[1], found[0])), value)
    if isinstance(value, dict):
        return {key: filled(inner, names) for key, inner in value.items()}
    return [filled(inner, names) for inner in value] if isinstance(value, list) else value


def differences(wanted: Any, found: Any, place: str, names: dict[str, Any]) -> Iterator[str]:
    """One line for each place that does not fit; binds the names it meets."""
    if found is _MISSING:
        yield f"{place}: missing"
    elif wanted in ({}, "*"):
        return
    elif isinstance(wanted, str) and (regex := _REGEX.fullmatch(wanted)):
        if not re.search(regex[1], str(found)):
            yield f"{place}: {found!r} does not fit /{regex[1]}/"
    elif isinstance(wanted, str) and (name := _WHOLE.fullmatch(wanted)):
        if names.setdefault(name[1], found) != found:
            yield f"{place}: {found!r} is not {name[1]}, which is {names[name[1]]!r}"
    elif isinstance(wanted, dict) and isinstance(found, dict):
        for key, inner in wanted.items():
            yield from differences(inner, found.get(key, _MISSING), f"{place}.{key}", names)
    elif isinstance(wanted, list) and isinstance(found, list) and len(wanted) == len(found):
        for index, inner in enumerate(wanted):
            yield from differences(inner, found[index], f"{place}[{index}]", names)
    elif (expected := filled(wanted, names)) != found or isinstance(expected, bool) is not isinstance(found, bool):
        yield f"{place}: {found!r}, not {expected!r}"


def history_differences(wanted: list[dict[str, Any]], events: list[dict[str, Any]], names: dict[str, Any]) -> Iterator[str]:
    by_id = {event.get("EventId"): event for event in events}
    for event in wanted:
        found = by_id.get(event["EventId"])
        if found is None:
            yield f"event {event['EventId']} {event['EventType']}: missing"
        else:
            yield from differences(event, found, f"event {event['EventId']}", names)
