"""Whoever was asked is gone: the approval says so, stands in attention, and can be put to somebody else."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client

from durable_ops.approvals.orphans import orphaned
from tests.durable_ops.people import make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def admin() -> User:
    return make_user("superuser")


def test_a_group_that_is_gone_is_told(
    ask: Callable[..., Any], person: Callable[..., User], admin: User, django_assert_num_queries: Any
) -> None:
    person("ann", "managers")
    _, approval = ask(group="managers")
    assert orphaned(admin, limit=5) == []
    Group.objects.filter(name="managers").delete()
    Group.objects.create(name="managers")  # another one of that name
    with django_assert_num_queries(1):
        assert orphaned(admin, limit=5) == [approval]
    client = Client()
    client.force_login(admin)
    assert "managers does not exist any more" in client.get(f"/approvals/{approval.pk}/").content.decode()
    assert "nobody who is asked is there any more" in client.get("/overview/").content.decode()
    client.post(f"/approvals/{approval.pk}/reassign/", {"to": "ann", "reason": "the group is gone"})
    assert orphaned(admin, limit=5) == []
    assert "does not exist any more" not in client.get(f"/approvals/{approval.pk}/").content.decode()


def test_who_else_is_asked_can_decide(ask: Callable[..., Any], person: Callable[..., User], admin: User) -> None:
    person("ann", "managers")
    ask(group="managers", users=["ann"])
    Group.objects.all().delete()
    assert orphaned(admin, limit=5) == []


def test_people_who_left_decide_nothing(ask: Callable[..., Any], person: Callable[..., User], admin: User) -> None:
    ann, ben = person("ann"), person("ben")
    _, approval = ask(group=None, users=["ann", "ben"])
    User.objects.filter(pk=ann.pk).update(is_active=False)
    assert orphaned(admin, limit=5) == []
    ben.delete()
    assert orphaned(admin, limit=5) == [approval]


def test_the_page_of_an_execution_shows_its_approvals(ask: Callable[..., Any], person: Callable[..., User], admin: User) -> None:
    person("ann", "managers")
    _, approval = ask(title="Expense 7 & more", group="managers")
    client = Client()
    client.force_login(admin)
    html = client.get(f"/executions/{approval.execution_id}/").content.decode()
    assert f'href="/approvals/{approval.pk}/">Expense 7 &amp; more</a>' in html and "group managers" in html
