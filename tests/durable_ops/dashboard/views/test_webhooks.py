"""The pages on webhooks."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from durable_ops.models import AuditEntry, Delivery, Webhook

FORM = {"name": "chat", "url": "https://example.com/hook", "events": ["execution.failed"], "functions": ""}


@pytest.fixture
def hook(admin: Client) -> Webhook:
    assert admin.post("/settings/webhooks/", FORM).status_code == 200
    return Webhook.objects.get()


def path(hook: Webhook, more: str = "") -> str:
    return f"/settings/webhooks/{hook.pk}/{more}"


def test_the_secret_is_shown_once(admin: Client) -> None:
    html = admin.post("/settings/webhooks/", FORM).content.decode()
    secret = re.search(r"whsec_[\w+/=]+", html)
    assert secret is not None
    hook = Webhook.objects.get()
    assert (hook.functions, hook.events) == ("*", ["execution.failed"])
    assert "whsec_" not in admin.get("/settings/webhooks/").content.decode() + admin.get(path(hook)).content.decode()
    rotated = admin.post(path(hook, "rotate/")).content.decode()
    assert "whsec_" in rotated and secret.group() not in rotated


@pytest.mark.parametrize(("changes", "words"), [({"url": "http://x/"}, "https://"), ({"events": []}, "least one"), ({"name": ""}, "Name")])
def test_a_bad_form_is_shown_again_with_what_is_wrong(admin: Client, changes: dict[str, Any], words: str, settings: Any) -> None:
    settings.WEBHOOK_ALLOWED_NETWORKS = []
    answer = admin.post("/settings/webhooks/", {**FORM, **changes})
    assert answer.status_code == 422 and words in answer.content.decode()
    assert Webhook.objects.count() == 0


def test_tried_switched_changed_sent_again_and_removed(admin: Client, hook: Webhook) -> None:
    assert admin.post(path(hook, "test/")).status_code == 302
    delivery = Delivery.objects.get()
    Delivery.objects.update(due_at=None, status=500, excerpt="<script>x</script>", last_error="answered 500", attempts=12)
    html = admin.get(path(hook)).content.decode()
    assert "Given up" in html and "&lt;script&gt;" in html and "<script>x" not in html
    assert "webhook.test" not in admin.get(path(hook, "?state=sent")).content.decode().split('id="rows"')[1]
    admin.post(f"/settings/deliveries/{delivery.pk}/again/")
    assert Delivery.objects.get().due_at is not None
    admin.post(path(hook, "switch/"))
    assert not Webhook.objects.get().is_active
    admin.post(path(hook, "switch/"), {"is_active": "on"})
    admin.post(path(hook), {**FORM, "functions": "order-*"})
    assert (Webhook.objects.get().is_active, Webhook.objects.get().functions) == (True, "order-*")
    assert "1 of them not sent yet" in admin.get(path(hook, "remove/")).content.decode()
    admin.post(path(hook, "remove/"), {"reason": "gone"})
    assert Webhook.objects.count() == 0
    assert AuditEntry.objects.order_by("id").last().reason == "gone"  # type: ignore[union-attr]


def test_a_page_of_deliveries_asks_for_them_in_one_query(admin: Client, hook: Webhook) -> None:
    counts = []
    for _ in range(2):
        admin.post(path(hook, "test/"))
        admin.get(path(hook))
        with CaptureQueriesContext(connection) as queries:
            admin.get(path(hook))
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_only_for_administrators(sign_in: Callable[[str], Client], hook: Webhook) -> None:
    operator = sign_in("operator")
    assert operator.get(path(hook)).status_code == operator.post(path(hook, "rotate/")).status_code == 403
    assert "Webhooks" not in operator.get("/settings/").content.decode()


def test_unknown_ones_are_not_found(admin: Client) -> None:
    for address in ("/settings/webhooks/7/test/", "/settings/webhooks/7/rotate/", "/settings/deliveries/7/again/"):
        assert admin.post(address).status_code == 404
