"""No route answers somebody who did not sign in, or who holds no right. New routes are found by themselves."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

SAMPLES = {
    "UUIDConverter": UUID(int=1), "IntConverter": 1, "StringConverter": "sample", "PathConverter": "sample", "AnythingConverter": "sample",
}  # fmt: skip
# Signing in and out is for everybody, the description of the API says nothing about anybody.
# A mailed link is itself the right of its person; an unknown one shows nothing.
OPEN = {"/login/", "/logout/", "/a/sample"}
# Everybody who signed in has an inbox of approvals, and in it only what concerns them, hears from the navigation how many wait
# there, chooses which mails they get, and has keys of their own; those of others are not there.
OWN = {"/approvals/", "/api/v1/approvals", "/navigation/", "/settings/mails/"}
OWN |= {"/api/v1/keys", "/api/v1/keys/1", "/api/v1/keys/1/rotate", "/api/v1/keys/1/revoke"}


def addresses(patterns: list[URLPattern | URLResolver], prefix: str = "/") -> Iterator[str]:
    for pattern in patterns:
        route = prefix + str(pattern.pattern)
        for name, converter in getattr(pattern.pattern, "converters", {}).items():
            sample = str(SAMPLES[type(converter).__name__])
            route = "".join(part if not part.endswith(f":{name}>") else sample for part in split(route))
        if isinstance(pattern, URLResolver):
            yield from addresses(pattern.url_patterns, route)
        elif not any(mark in route for mark in "^$*"):
            yield route


def split(route: str) -> list[str]:
    """A route as plain texts and `<type:name>` marks, in order."""
    return [part for piece in route.replace("<", "\0<").replace(">", ">\0").split("\0") for part in [piece] if part]


def all_addresses() -> list[str]:
    return [address for address in addresses(get_resolver().url_patterns) if address not in OPEN]


def ask(client: Client, method: str, address: str) -> Any:
    """As its callers do: REST would refuse a form for its kind before it looks who sends it."""
    if method == "get":
        return client.get(address)
    return client.post(address, "{}", content_type="application/json") if address.startswith("/api/") else client.post(address)


def test_routes_are_found() -> None:
    lambda_stop = "/2025-12-01/durable-executions/sample/stop"
    assert {"/", "/audit/", "/api/v1/executions", "/callbacks/sample/approve", lambda_stop} <= set(all_addresses())


@pytest.mark.django_db
@pytest.mark.parametrize("method", ["get", "post"])
def test_nobody_without_sign_in_is_answered(client: Client, method: str) -> None:
    answers = {address: getattr(client, method)(address) for address in all_addresses()}
    refused = {401, 403}
    assert {
        address: answer.status_code
        for address, answer in answers.items()
        if answer.status_code not in refused and not (answer.status_code == 302 and answer.url.startswith("/login/?next="))
    } == {}


@pytest.mark.django_db
@pytest.mark.parametrize("method", ["get", "post"])
def test_nobody_without_a_right_is_answered(client: Client, method: str) -> None:
    client.force_login(User.objects.create_user("nobody"))
    statuses = {address: ask(client, method, address).status_code for address in all_addresses()}
    assert {address: status for address, status in statuses.items() if status not in {401, 403, 405} and address not in OWN} == {}
