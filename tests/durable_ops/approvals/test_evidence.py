"""What an auditor sees of a decision, and what they see once somebody has changed the record."""

import hmac
import importlib
import json
from collections.abc import Callable
from hashlib import sha256
from typing import Any

import pytest
from django.apps import apps
from django.conf import settings
from django.test import Client

from durable_ops.actions import approvals
from durable_ops.actions.actor import Actor
from durable_ops.approvals import shown
from durable_ops.models import Approval, AuditEntry, Decision, Shown
from tests.durable_ops.people import make_user

pytestmark = pytest.mark.django_db
Ask = Callable[..., tuple[Any, Approval]]
Make = Callable[..., Actor]
FORM = {"type": "object", "properties": {"limit": {"type": "number"}}}
WHOLE, CHANGED = "As the audit log has it", "Not as the audit log has it"


@pytest.fixture
def decided(ask: Ask, actor: Make) -> Approval:
    _, approval = ask(form=FORM, details={"Amount": "120.00", "Odd": 1e22})
    approvals.decide(actor("mona", "managers"), approval.callback_id, approved=True, comment="fine", fields={"limit": 1e22})
    return approval


def page(approval: Approval, client: Client, role: str = "administrator") -> str:
    client.force_login(make_user(role))
    return client.get(f"/approvals/{approval.pk}/").content.decode()


def test_an_auditor_sees_what_was_shown_and_that_it_is_whole(decided: Approval, client: Client) -> None:
    html = page(decided, client)
    digest = Decision.objects.get().shown.digest
    assert (WHOLE in html, CHANGED in html, digest in html, "120.00" in html) == (True, False, True, True)
    assert AuditEntry.objects.latest("id").facts["shown"] == digest


def test_the_digest_is_computed_again_as_the_manual_says(decided: Approval) -> None:
    decision = Decision.objects.select_related("shown").get()
    for content, digest in (
        (decision.shown.content, decision.shown.digest),
        (decision.fields, AuditEntry.objects.latest("id").facts["given"]),
    ):
        text = json.dumps(content, ensure_ascii=True, separators=(",", ":"), sort_keys=True)
        assert digest == hmac.digest(bytes.fromhex(decided.digest_key), text.encode(), "sha256").hex()


def test_the_record_needs_no_secret_of_the_settings(decided: Approval, client: Client, settings: Any) -> None:
    settings.SECRET_KEY = "rotated since, as it should be from time to time"
    assert WHOLE in page(decided, client)


@pytest.mark.parametrize(
    "change",
    [
        lambda: Decision.objects.update(by="max", user_key="4711"),
        lambda: Decision.objects.update(approved=False),
        lambda: Decision.objects.update(comment="not fine"),
        lambda: Decision.objects.update(fields={"limit": 5}),
        lambda: Decision.objects.update(fields={}),
        lambda: Decision.objects.update(channel="rest"),
        lambda: Shown.objects.update(content=[["Title", "Expense E-1: 120.00"], ["Amount", "1.00"]]),
        lambda: Approval.objects.update(digest_key="00" * 32),
    ],
)
def test_a_changed_record_is_told(decided: Approval, client: Client, change: Callable[[], Any]) -> None:
    change()
    html = page(decided, client)
    assert (WHOLE in html, CHANGED in html) == (False, True)


def test_without_the_right_nothing_is_told(decided: Approval, client: Client) -> None:
    assert "What was recorded" not in page(decided, client, "viewer")


def test_digests_of_before_keep_their_key(ask: Ask, client: Client) -> None:
    """The migration: they were keyed by SECRET_KEY."""
    keep = importlib.import_module("durable_ops.migrations.0019_digest_keys").keep
    _, approval = ask()
    keep(apps, None)
    approval.refresh_from_db()
    assert approval.digest_key == sha256(f"durable_ops.approvals.shown{settings.SECRET_KEY}".encode()).hexdigest()


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (True, "yes"), (None, "–"), (0, "0"), ("", "–"), ([], "–"), ([1, None, True], "1, –, yes"),
        ({"months": 36, "late": ["a", "b"], "more": {"x": 1}}, 'months: 36\nlate: a, b\nmore: {"x": 1}'),
    ],
)  # fmt: skip
def test_values_are_told_in_words(value: Any, told: str) -> None:
    assert shown.words(value) == told
