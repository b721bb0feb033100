"""The outbox page, the text of mails in development, and what a person chooses."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client

from durable_ops.approvals import outbox
from durable_ops.models import Approval, AuditEntry, MailPreference, Outbox
from tests.durable_ops.approvals.conftest import ask  # noqa: F401  (a fixture)
from tests.durable_ops.people import make_user

pytestmark = pytest.mark.django_db
Ask = Callable[..., tuple[Any, Approval]]


@pytest.fixture
def mona(db: None) -> User:
    user = User.objects.create_user("mona", email="mona@example.com")
    user.groups.add(Group.objects.get_or_create(name="managers")[0])
    return user


def test_mails_are_listed_without_a_token_and_in_few_queries(
    mona: User,
    ask: Ask,  # noqa: F811
    client: Client,
    django_assert_max_num_queries: Any,
) -> None:
    for _ in range(3):
        ask()
    outbox.send_due()
    client.force_login(make_user("operator"))
    with django_assert_max_num_queries(6):
        page = client.get("/approvals/mails/?state=sent").content.decode()
    assert page.count("to mona") == 3
    assert "/a/" not in page
    assert client.get(f"/approvals/mails/{Outbox.objects.latest('pk').pk}/").status_code == 404
    for query in ("state=x", "before=x", "before=9999999999999999999999", "state=dropped", "state=waiting"):
        assert client.get(f"/approvals/mails/?{query}").status_code == 200
    client.force_login(mona)
    assert client.get("/approvals/mails/").status_code == 403


def test_in_development_the_text_can_be_read(mona: User, ask: Ask, client: Client, settings: Any, tmp_path: Path) -> None:  # noqa: F811
    settings.EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
    settings.EMAIL_FILE_PATH = str(tmp_path)
    ask(title="Expense <script>alert(1)</script>")
    assert outbox.send_due() == 1
    client.force_login(make_user("operator"))
    page = client.get(f"/approvals/mails/{Outbox.objects.get().pk}/").content.decode()
    assert f'href="{settings.PUBLIC_URL}/a/' in page
    assert "<script>alert" not in page


def test_everybody_chooses_their_mails(mona: User, client: Client) -> None:
    client.force_login(mona)
    assert client.get("/settings/mails/").content.decode().count(" checked") == 2
    assert client.post("/settings/mails/", {"requests": "on"}).status_code == 302
    assert MailPreference.objects.values_list("requests", "reminders").get(user=mona) == (True, False)
    assert AuditEntry.objects.latest("id").action == "mails.choose"
    assert client.get("/settings/mails/").content.decode().count(" checked") == 1


def test_reassigning_in_the_console(mona: User, ask: Ask, client: Client) -> None:  # noqa: F811
    User.objects.create_user("nora", email="nora@example.com")
    _, approval = ask()
    client.force_login(mona)
    page = client.get(f"/approvals/{approval.pk}/").content.decode()
    assert "Let somebody else decide" in page
    for sent in ({"to": "nora", "reason": ""}, {"to": "ghost", "reason": "x"}, {"to": "", "reason": "x"}, {"to": "a\x00", "reason": "x"}):
        assert client.post(f"/approvals/{approval.pk}/reassign/", sent).status_code == 400
    assert client.post(f"/approvals/{approval.pk}/reassign/", {"to": "nora", "reason": "holiday"}).status_code == 302
    assert client.get(f"/approvals/{approval.pk}/").status_code == 403
    client.force_login(User.objects.get(username="nora"))
    assert "1 mail" not in client.get("/approvals/").content.decode()
    assert "2 mails" in client.get(f"/approvals/{approval.pk}/").content.decode()
