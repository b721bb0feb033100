import pytest
from django.contrib.auth.models import Group
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from durable_ops.models import ApiKey
from tests.durable_ops.people import make_group, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def admin(client: Client) -> Client:
    client.force_login(make_user("administrator"))
    return client


def test_list_says_which_functions(admin: Client, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    make_group("operator", "payments-*")
    with django_assert_num_queries(7):  # session, person, two for rights, roles, their rights, their functions
        page = admin.get("/settings/roles/")
    assert "payments-*" in page.content.decode()


def test_role_is_made_changed_and_removed(admin: Client) -> None:
    body = {"name": "payments", "rights": ["view_execution"], "functions": "payments-*\nrefund", "reason": "team"}
    assert admin.post("/settings/roles/new/", body).headers["Location"] == "/settings/roles/"
    group = Group.objects.get(name="payments")
    assert set(group.function_patterns.values_list("pattern", flat=True)) == {"payments-*", "refund"}
    page = admin.get(f"/settings/roles/{group.pk}/").content.decode()
    assert "payments-*\nrefund" in page
    assert admin.post(f"/settings/roles/{group.pk}/", {"rights": ["view_audit"], "functions": "", "reason": "all"}).status_code == 302
    assert list(group.permissions.values_list("codename", flat=True)) == ["view_audit"]
    assert admin.post(f"/settings/roles/{group.pk}/remove/", {"reason": "over"}).status_code == 302
    assert not Group.objects.filter(name="payments").exists()


def test_refusals_show_the_form_again(admin: Client) -> None:
    taken = admin.post("/settings/roles/new/", {"name": "operator", "rights": ["view_audit"], "reason": "x"})
    assert taken.status_code == 409
    assert "There is a group of this name already." in taken.content.decode()
    without_reason = admin.post("/settings/roles/new/", {"name": "x", "rights": ["view_audit"]})
    assert without_reason.status_code == 422
    assert admin.get("/settings/roles/999999/").status_code == 404
    assert admin.get(f"/settings/roles/{Group.objects.get(name='operator').pk}/remove/").status_code == 404


def test_key_with_limits_and_its_rotation(client: Client) -> None:
    client.force_login(make_user("operator"))
    body = {"name": "job", "scopes": ["start_execution"], "functions": "payments-*, refund", "for_aws": "on"}
    page = client.post("/settings/", body)
    key = ApiKey.objects.get()
    assert (key.scopes, key.functions) == (["start_execution"], ["payments-*", "refund"])
    assert f"AWS_ACCESS_KEY_ID=dop_{key.prefix}" in page.content.decode()
    assert client.post("/settings/", {"name": "x", "scopes": ["delete_execution"]}).status_code == 422
    rotated = client.post(f"/settings/keys/{key.pk}/rotate/", {"overlap_hours": "3"}).content.decode()
    new = ApiKey.objects.exclude(pk=key.pk).get()
    assert f"dop_{new.prefix}_" in rotated
    assert client.post(f"/settings/keys/{key.pk}/rotate/", {"overlap_hours": "9999"}).status_code == 422
    other = ApiKey.objects.create(prefix="x", digest="", name="theirs", user=make_user("viewer"))
    assert client.get(f"/settings/keys/{other.pk}/rotate/").status_code == 404
