"""What commands share: who acts, how refusals end, how results are printed."""

import getpass
import json
import sys
from argparse import ArgumentParser
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO
from uuid import UUID

from django.contrib.auth import get_user_model
from django.core.exceptions import PermissionDenied
from django.core.management.base import CommandError
from tqdm import tqdm

from durable_ops.actions.actor import Actor, Channel
from durable_ops.selectors.searches import KEYS, read_search
from durable_ops.texts import json_text
from execution_engine.core.errors import CommandError as Refusal
from execution_engine.selectors.search import ExecutionFilters


def add_user_argument(parser: ArgumentParser) -> None:
    parser.add_argument("--user", metavar="NAME", help="act as this person, with their rights; default: the system, with all rights")


def command_actor(username: str | None) -> Actor:
    """The named person, or the system. Raises CommandError for an unknown or inactive person."""
    return Actor(user=find_user(username) if username else None, channel=Channel.COMMAND, address=operating_system_user())


def find_user(username: str) -> Any:
    model = get_user_model()
    user = model._default_manager.filter(**{model.USERNAME_FIELD: username}, is_active=True).first()
    if user is None:
        raise CommandError(f"There is no active person {username!r}.")
    return user


def operating_system_user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container whose user id has no name
        return ""


@contextmanager
def refusals_end_the_command() -> Iterator[None]:
    """A refusal becomes one line on standard error and exit code 1."""
    try:
        yield
    except Refusal as refusal:
        facts = ", ".join(f"{name}={value}" for name, value in refusal.facts.items() if value is not None)
        raise CommandError(f"{refusal.message} [{refusal.code}{f': {facts}' if facts else ''}]") from refusal
    except PermissionDenied as denied:
        raise CommandError(f"{denied} [permission_denied]") from denied


def parse_execution_id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise CommandError(f"{text!r} is no execution id; list_executions shows them.") from None


def add_filter_argument(parser: ArgumentParser) -> None:
    keys = ", ".join(KEYS)
    parser.add_argument(
        "--filter",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help=f"narrows by a key of the list in the console and REST, as ended_to=30d; repeatable. Keys: {keys}",
    )


def read_filters(given: Iterable[str], actor: Actor) -> ExecutionFilters | None:
    """What --filter says, None when it says nothing. Raises CommandError for what is not understood."""
    query: dict[str, str] = {}
    for one in given:
        key, equals, value = one.partition("=")
        if not equals or key not in KEYS or not value.strip():
            raise CommandError(f"--filter takes KEY=VALUE with one of {', '.join(KEYS)}, not {one[:100]!r}.")
        query[key] = value
    search = read_search(query, actor.access)
    if search.problems:
        raise CommandError(search.problems[0].text)
    return search.filters if search.is_narrow else None


def add_json_arguments(parser: ArgumentParser, name: str, words: str) -> None:
    """`--NAME` and `--NAME-file`, of which one may be given."""
    source = parser.add_mutually_exclusive_group()
    source.add_argument(f"--{name}", metavar="JSON", help=f"{words} as JSON text")
    source.add_argument(f"--{name}-file", metavar="FILE", help=f"a file with {words} as JSON; - is standard input")


def json_argument(options: Mapping[str, Any], name: str) -> str | None:
    """The checked, compact JSON text of --NAME or --NAME-file; None for neither. Raises CommandError."""
    text: str | bytes | None = options[name]
    file = options[f"{name}_file"]
    if file:
        try:
            text = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
        except OSError as error:
            raise CommandError(f"{file}: {error.strerror}") from error
    if text is None:
        return None
    try:
        return json_text.compact(json_text.parse(text))
    except json_text.JsonTextError as error:
        raise CommandError(f"The {name} cannot be used: {error}") from error


def progress(items: Iterable[Any] | None, *, total: int, unit: str) -> Any:
    """A bar on standard error when that is a terminal, nothing in a pipe."""
    return tqdm(items, total=total, unit=unit, disable=not sys.stderr.isatty(), file=sys.stderr)


def print_json(out: TextIO | Any, value: Any) -> None:
    indent = None if isinstance(value, list) and len(value) > 1000 else 2
    out.write(printable(json.dumps(value, ensure_ascii=False, indent=indent)))


def printable(text: str) -> str:
    """Half surrogate pairs, which a handler may return, cannot be printed: as escapes they can."""
    return text.encode("utf-8", "backslashreplace").decode()


def print_table(out: TextIO | Any, header: list[str], rows: list[list[str]]) -> None:
    """Columns as wide as their longest cell."""
    widths = [max(len(row[column]) for row in [header, *rows]) for column in range(len(header))]
    for row in [header, *rows]:
        out.write("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
