"""Role x route x own or foreign object, from the URL table: console, REST, Lambda API and admin. A new route without a row fails."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import transaction
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from durable_ops.models import Right
from durable_ops.models.rights import OF_NO_FUNCTION
from durable_ops.roles import ROLES
from tests.durable_ops import matrix_world
from tests.durable_ops.matrix_rows import ANYBODY, OPEN, ROWS, Cell
from tests.durable_ops.matrix_world import MARK, Person, Things

PEOPLE = [*ROLES, "nobody"]
SAMPLES = {
    "^schema/?$": "schema",
    r"^[\s\S]*$": "nothing",
    "^(?P<app_label>execution_engine|auth)/$": "auth/",
    "(?P<url>.*)$": "nothing/",
    "^20(?:15-03-31|25-12-01)/(?s:.*)$": "2015-03-31/nothing",
}
KEY_OF_PK = {"approval": ("approval", "decide", "claim", "release", "reassign"), "mail": ("mail",), "redrive_request": ("redrive",)}


def routes() -> dict[str, str]:
    """Address by name of the route (its namespace before it), or by the address where a route has no name."""
    return dict(_walk(get_resolver().url_patterns, "/", ""))


def _walk(patterns: list[URLPattern | URLResolver], prefix: str, namespace: str) -> Iterator[tuple[str, str]]:
    for pattern in patterns:
        route = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from _walk(pattern.url_patterns, route, pattern.namespace or namespace)
        else:
            yield f"{namespace}:{pattern.name or route}", route


def address(name: str, route: str, keywords: dict[str, Any]) -> str:
    plain = route
    for pattern, sample in SAMPLES.items():
        plain = plain.replace(pattern, sample)
    for part in [piece.partition(">")[0] for piece in plain.split("<")[1:]]:
        keyword = part.rpartition(":")[2]
        plain = plain.replace(f"<{part}>", str(keywords[_meaning(name, keyword)]))
    return plain


def _meaning(name: str, keyword: str) -> str:
    if keyword != "pk":
        return keyword
    return next(meaning for meaning, parts in KEY_OF_PK.items() if any(part in name for part in parts))


@pytest.fixture
def world(db: None) -> Callable[[str, bool, str], tuple[Person, dict[str, Any]]]:
    """Of a role, whether it is limited, and whose objects: the person and the keywords of addresses."""
    things: dict[str, Things] = {kind: matrix_world.make_things(kind) for kind in MARK}
    whole, other = matrix_world.make_whole(), User.objects.create_user("other")
    people: dict[tuple[str, bool], Person] = {}
    of_others = matrix_world.make_of_person(other, things["foreign"])

    def make(role: str, is_limited: bool, kind: str) -> tuple[Person, dict[str, Any]]:
        if (role, is_limited) not in people:
            people[role, is_limited] = matrix_world.make_person(role, is_limited=is_limited)
        person = people[role, is_limited]
        mine = matrix_world.make_of_person(person.user, things["own"]) if kind == "own" else of_others
        fixed = {"key": "input", "event_id": 1, "form": "csv", "kind": "csv", "act": "pause", "content_type_id": 1}
        fixed |= {"object_id": things[kind].keywords["execution_id"], "token": "unknown"}
        return person, {**things[kind].keywords, **whole, **mine, **fixed}

    return make


def ask(person: Person, name: str, method: str, place: str) -> Any:
    client = person.program if name.startswith(("api:", "lambda_api:", ":metrics")) else person.browser
    return send(client, name, method, place)


def send(client: Client, name: str, method: str, place: str) -> Any:
    """One call, and nothing of what it did."""
    with transaction.atomic():
        if client.defaults.get("HTTP_AUTHORIZATION") or method not in ("GET", "POST"):
            body, more = (b"" if method == "GET" else b"{}"), {"HTTP_X_AMZ_INVOCATION_TYPE": "Event"}
            answer: Any = client.generic(method, place, body, content_type="application/json", **more)
        else:
            answer = client.get(place) if method == "GET" else client.post(place)
        content = b"".join(answer.streaming_content) if answer.streaming else answer.content
        transaction.set_rollback(True)
    return answer.status_code, content


def expected(cell: Cell, role: str, *, is_limited: bool, kind: str) -> int:
    def holds(right: str) -> bool:
        return right == ANYBODY or (Right(right) in ROLES.get(role, ()) and not (is_limited and Right(right) in OF_NO_FUNCTION))

    if not holds(cell.right):
        return 403
    if kind == "foreign" and cell.foreign is not None:
        return cell.foreign
    if not holds(cell.hidden_without):
        return 404
    return cell.status if holds(cell.then) else 403


def test_every_route_has_a_row() -> None:
    named = set(routes())
    assert named - set(ROWS) - OPEN == set(), "routes without a row in matrix_rows.py"
    assert set(ROWS) - named == set(), "rows without a route"


@pytest.mark.parametrize("role", PEOPLE)
def test_matrix(world: Callable[..., Any], role: str, figures: Callable[..., None]) -> None:
    wrong, cells = {}, 0
    for is_limited, kind in ((False, "own"), (True, "own"), (True, "foreign")):
        person, keywords = world(role, is_limited, kind)
        for name, route in routes().items():
            for method, cell in ROWS.get(name, {}).items():
                status, content = ask(person, name, method, address(name, route, keywords))
                wanted = expected(cell, role, is_limited=is_limited, kind=kind)
                cells += 1
                seen = is_limited and MARK["foreign"].encode() in content
                if status != wanted or seen:
                    wrong[name, method, "limited" if is_limited else "whole", kind] = (status, wanted, "names it" if seen else "")
    assert wrong == {}
    figures(f"role matrix of {role}", cells=cells, wrong=len(wrong))
