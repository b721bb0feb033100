"""A person in a real browser on a live server; a console error or a refused resource fails the test."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from playwright.sync_api import Page

from execution_engine.journal.bell import process_bell
from tests.durable_ops.people import make_user

# What the browser itself writes for an answer of 4xx that a test asks for on purpose.
EXPECTED = "Failed to load resource"


@pytest.fixture(autouse=True)
def no_connection_left() -> Iterator[None]:
    """The bell's own connection must not outlive the test's database."""
    yield
    process_bell().stop()


@pytest.fixture
def complaints(page: Page) -> Iterator[list[str]]:
    found: list[str] = []
    page.on("console", lambda message: found.append(message.text) if message.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: found.append(str(error)))
    yield found
    assert [text for text in found if EXPECTED not in text] == []


@pytest.fixture
def sign_in(page: Page, live_server: Any, complaints: list[str]) -> Callable[..., Page]:
    """`sign_in("operator")` answers the page of a person of this role, who has just signed in."""

    def signed_in(role: str = "administrator") -> Page:
        client = Client()
        client.force_login(make_user(role))
        cookie = client.cookies[settings.SESSION_COOKIE_NAME].value
        page.context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": cookie, "url": live_server.url}])
        page.goto(live_server.url)
        return page

    return signed_in


@pytest.fixture
def browser_context_args(browser_context_args: dict[str, Any]) -> dict[str, Any]:
    return {**browser_context_args, "viewport": {"width": 1280, "height": 900}}
