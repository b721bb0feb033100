"""Rights that hold for some functions only: of a person's groups, and of a key."""

from typing import Any

import pytest
from django.contrib.auth.models import Permission
from pytest_django import DjangoAssertNumQueries

from durable_ops.models import ApiKey, FunctionPattern, Right
from durable_ops.permissions import RightMissingError, access_of
from execution_engine.core.errors import ExecutionNotFoundError, FunctionNotFoundError
from execution_engine.services.executions import start_execution
from tests.durable_ops.journal import register_function
from tests.durable_ops.people import make_group, make_limited, make_user

pytestmark = pytest.mark.django_db


def make_execution(function: str) -> Any:
    return start_execution(register_function(function), "{}")


def again(user: Any) -> Any:
    """As the next request reads the person."""
    return type(user).objects.get(pk=user.pk)


def test_group_without_patterns_gives_its_rights_everywhere() -> None:
    access = access_of(make_user("operator"))
    assert access.has_all(Right.STOP_EXECUTION)
    assert access.functions_for(Right.STOP_EXECUTION) is None


def test_limited_group_gives_them_for_what_matches() -> None:
    access = access_of(make_limited("operator", "payments-*", "refund"))
    allowed = [name for name in ("payments-eu", "refund", "refunds", "payments", "Payments-eu") if access.may(Right.STOP_EXECUTION, name)]
    assert allowed == ["payments-eu", "refund"]
    assert access.may(Right.STOP_EXECUTION)
    assert not access.may(Right.DELETE_EXECUTION)


def test_several_groups_add_up() -> None:
    user = make_limited("viewer", "*")
    user.groups.add(make_group("operator", "payments-*"), make_group("operator", "refund?"))
    access = access_of(again(user))
    assert access.may(Right.VIEW_EXECUTION, "orders")
    assert not access.may(Right.STOP_EXECUTION, "orders")
    assert access.may(Right.STOP_EXECUTION, "refund2")
    assert access.may(Right.STOP_EXECUTION, "payments-eu")
    user.groups.add(make_group("operator"))
    assert access_of(again(user)).has_all(Right.STOP_EXECUTION)


def test_right_of_ones_own_is_not_limited() -> None:
    user = make_limited("operator", "payments-*")
    user.user_permissions.add(Permission.objects.get(codename="stop_execution"))
    access = access_of(again(user))
    assert access.has_all(Right.STOP_EXECUTION)
    assert not access.has_all(Right.PAUSE_EXECUTION)


def test_limited_administrator_cannot_lift_the_limit() -> None:
    access = access_of(make_limited("administrator", "payments-*"))
    whole = {Right.MANAGE_PEOPLE, Right.MANAGE_KEYS, Right.MANAGE_PRICES, Right.MANAGE_WEBHOOKS, Right.MANAGE_PROTECTION}
    assert {right for right in Right if not access.may(right)} == whole


def test_key_leaves_what_its_scopes_and_functions_say() -> None:
    user = make_limited("operator", "payments-*", "refund")
    key = ApiKey(user=user, scopes=["start_execution", "view_execution", "delete_execution"], functions=["*-eu"])
    access = access_of(user, key)
    assert {right for right in Right if access.may(right)} == {Right.START_EXECUTION, Right.VIEW_EXECUTION}
    names = ("payments-eu", "payments-us", "refund", "orders-eu")
    assert [name for name in names if access.may(Right.START_EXECUTION, name)] == ["payments-eu"]


def test_key_of_a_superuser_is_narrowed_too() -> None:
    user = make_user("superuser")
    access = access_of(user, ApiKey(user=user, functions=["payments-*"]))
    assert not access.may(Right.STOP_EXECUTION, "orders")
    assert not access.may(Right.MANAGE_PEOPLE)


def test_foreign_function_is_not_found_and_a_missing_right_is_refused() -> None:
    user = make_limited("viewer", "*")
    user.groups.add(make_group("operator", "payments-*"))
    access = access_of(again(user))
    access.require(Right.STOP_EXECUTION, "payments-eu")
    with pytest.raises(RightMissingError):
        access.require(Right.STOP_EXECUTION, "orders")
    with pytest.raises(FunctionNotFoundError):
        access_of(make_limited("operator", "payments-*")).require(Right.STOP_EXECUTION, "orders")


def test_foreign_execution_is_not_found(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    own, foreign = make_execution(function="payments-eu"), make_execution(function="orders")
    access = access_of(make_limited("operator", "payments-*"))
    with django_assert_num_queries(1):
        access.require_on(Right.STOP_EXECUTION, own.id)
    with pytest.raises(ExecutionNotFoundError):
        access.require_on(Right.STOP_EXECUTION, foreign.id)
    with pytest.raises(RightMissingError):
        access.require_on(Right.DELETE_EXECUTION, foreign.id)


def test_asking_costs_two_queries_and_none_again(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    execution = make_execution(function="orders")
    user = again(make_user("operator"))
    with django_assert_num_queries(2):
        access = access_of(user)
        access.require_on(Right.STOP_EXECUTION, execution.id)
        assert access_of(user) is access
        assert access.functions_for(Right.VIEW_EXECUTION) is None


def test_lists_are_filtered_by_registered_functions() -> None:
    make_execution(function="payments-eu")
    make_execution(function="orders")
    assert access_of(make_limited("viewer", "payments-*")).functions_for(Right.VIEW_EXECUTION) == {"payments-eu"}
    assert access_of(make_limited("viewer", "nothing")).functions_for(Right.VIEW_EXECUTION) == frozenset()


def test_pattern_stands_once_per_group() -> None:
    group = make_group("viewer", "payments-*")
    assert [str(one) for one in FunctionPattern.objects.filter(group=group)] == ["payments-*"]
