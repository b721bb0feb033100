"""The pages on alert rules."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from durable_ops.models import Alert, AlertRule, AuditEntry

FORM = {
    "name": "Payments fail", "kind": "failed", "functions": "", "threshold": "5", "minutes": "10", "quiet_minutes": "60",
    "mail_to": "a@example.com, b@example.com", "webhook": "", "is_active": "on",
}  # fmt: skip


@pytest.fixture
def rule(admin: Client) -> AlertRule:
    assert admin.post("/settings/alerts/", FORM).status_code == 302
    return AlertRule.objects.get()


def test_made_changed_and_removed(admin: Client, rule: AlertRule) -> None:
    assert (rule.functions, rule.mail_to, rule.threshold, rule.is_active) == ("*", ["a@example.com", "b@example.com"], 5, True)
    assert "Payments fail" in admin.get("/settings/alerts/").content.decode()
    path = f"/settings/alerts/{rule.pk}/"
    assert "a@example.com, b@example.com" in admin.get(path).content.decode()
    admin.post(path, {**FORM, "threshold": "7", "is_active": ""})
    assert (AlertRule.objects.get().threshold, AlertRule.objects.get().is_active) == (7, False)
    assert "Remove 1 rule" in admin.get(f"{path}remove/").content.decode()
    admin.post(f"{path}remove/", {"reason": "quiet now"})
    assert AlertRule.objects.count() == 0
    assert AuditEntry.objects.order_by("id").last().reason == "quiet now"  # type: ignore[union-attr]


WRONG = [{"mail_to": ""}, {"mail_to": "nobody"}, {"threshold": "0"}, {"kind": "x"}, {"webhook": "7"}, {"functions": "a b"}]


@pytest.mark.parametrize("changes", WRONG)
def test_a_bad_form_is_shown_again(admin: Client, changes: dict[str, Any]) -> None:
    answer = admin.post("/settings/alerts/", {**FORM, **changes})
    assert answer.status_code in (400, 422)
    assert "Payments fail" in answer.content.decode()
    assert AlertRule.objects.count() == 0


def test_what_was_found_is_shown_as_text(admin: Client, rule: AlertRule) -> None:
    now = timezone.now()
    Alert.objects.create(rule=rule, function="<b>x</b>", count=9, highest=9, fired_at=now)
    Alert.objects.create(rule=rule, function="unripe", count=9, highest=9)
    html = admin.get("/settings/alerts/").content.decode()
    assert "9 executions of &lt;b&gt;x&lt;/b&gt; failed within 10 minutes" in html and "Firing" in html
    assert "unripe" not in html


def test_only_for_administrators(sign_in: Callable[[str], Client], rule: AlertRule) -> None:
    assert sign_in("operator").get("/settings/alerts/").status_code == 403
