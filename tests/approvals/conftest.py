"""People, and approvals that real executions ask; the fixtures are those of the unit tests."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.core.cache import cache

from durable_ops.models import Approval
from execution_engine.journal.bell import process_bell
from tests.durable_ops.approvals.conftest import ask, person  # noqa: F401  (fixtures)


@pytest.fixture(autouse=True)
def nothing_left() -> Iterator[None]:
    """Counters of unknown links start at zero; the bell's connection must not outlive the test's database."""
    cache.clear()
    yield
    process_bell().stop()


@pytest.fixture
def crowd(person: Callable[..., User]) -> Callable[[int], list[User]]:  # noqa: F811
    """So many managers, made in one go."""

    def make(count: int) -> list[User]:
        group = Group.objects.get_or_create(name="managers")[0]
        made = [User(username=f"m{n}", email=f"m{n}@example.com", password="!") for n in range(count)]
        users = User.objects.bulk_create(made)
        User.groups.through.objects.bulk_create(User.groups.through(user=user, group=group) for user in users)
        return users

    return make


Ask = Callable[..., tuple[Any, Approval]]
