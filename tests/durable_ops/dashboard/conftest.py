"""People signed in to the console, and an execution to look at."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from execution_engine.models import FunctionVersion
from tests.durable_ops.people import make_user
from tests.factories import make_version, make_worker


@pytest.fixture
def sign_in(db: None) -> Callable[[str], Client]:
    """`sign_in("operator")` is a client of a person of this role."""

    def signed_in(role: str) -> Client:
        client = Client()
        client.force_login(make_user(role))
        return client

    return signed_in


@pytest.fixture
def admin(sign_in: Callable[[str], Client]) -> Client:
    return sign_in("administrator")


@pytest.fixture
def version(db: None) -> FunctionVersion:
    found = make_version()
    make_worker(found)
    return found


HTMX: dict[str, Any] = {"HX-Request": "true", "HX-Request-Type": "partial"}
