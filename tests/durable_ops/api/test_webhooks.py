"""Webhooks over REST."""

import json
from typing import Any

import pytest

from durable_ops.api.serializers import webhooks as shapes
from durable_ops.models import AuditEntry, Delivery, Webhook
from tests.durable_ops.api.conftest import Door, refusal

BODY = {"name": "chat", "url": "https://example.com/hook", "events": ["execution.failed"], "functions": "order-*"}


def patch(door: Door, path: str, body: Any) -> Any:
    return door.client.patch(f"/api/v1{path}", json.dumps(body), content_type="application/json")


def test_made_changed_tried_and_removed(admin: Door) -> None:
    made = admin.post("/webhooks", BODY)
    assert made.status_code == 201
    new = made.json()
    assert new["secret"].startswith("whsec_") and set(new) == set(shapes.NewWebhookDocument().fields)
    path = f"/webhooks/{new['id']}"
    shown = admin.get(path).json()
    assert set(shown) == set(shapes.WebhookDocument().fields) and new["secret"] not in str(shown)
    assert admin.get("/webhooks").json()["results"] == [shown]
    assert patch(admin, path, {"is_active": False, "reason": "holidays"}).json()["is_active"] is False
    rotated = admin.post(f"{path}/rotate").json()
    assert rotated["secret"] != new["secret"]
    tried = admin.post(f"{path}/test")
    assert (tried.status_code, tried.json()["state"], set(tried.json())) == (202, "waiting", set(shapes.DeliveryDocument().fields))
    assert admin.post(f"/deliveries/{tried.json()['id']}/redeliver").status_code == 202
    assert [one["event"] for one in admin.get(f"{path}/deliveries", {"state": "waiting"}).json()["results"]] == ["webhook.test"]
    assert admin.get(f"{path}/deliveries", {"state": "sent"}).json()["results"] == []
    assert admin.client.delete(f"/api/v1{path}?reason=done").status_code == 204
    refusal(admin.get(path), 404, "webhook_not_found")
    assert AuditEntry.objects.get(action="webhook.remove").reason == "done"


def test_deliveries_are_paged(admin: Door) -> None:
    path = f"/webhooks/{admin.post('/webhooks', BODY).json()['id']}"
    ids = [admin.post(f"{path}/test").json()["id"] for _ in range(3)]
    first = admin.get(f"{path}/deliveries", {"limit": 2}).json()
    second = admin.client.get(first["next"]).json()
    assert [one["id"] for one in (*first["results"], *second["results"])] == ids[::-1]
    assert second["next"] is None


@pytest.mark.parametrize(
    "changes",
    [
        {"url": "http://example.com/"}, {"url": "ftp://x"}, {"url": "https://user@x/"}, {"url": 7}, {"name": ""}, {"name": "x" * 101},
        {"events": []}, {"events": ["nothing"]}, {"events": ["webhook.test"]}, {"functions": "a b"}, {"functions": ""}, {"secret": "mine"},
        {"name": "\u0000"},
    ],
)  # fmt: skip
def test_bad_values_are_refused_and_nothing_is_kept(admin: Door, changes: dict[str, Any], settings: Any) -> None:
    settings.WEBHOOK_ALLOWED_NETWORKS = []
    assert admin.post("/webhooks", {**BODY, **changes}).status_code == 400
    assert Webhook.objects.count() == 0
    path = f"/webhooks/{admin.post('/webhooks', BODY).json()['id']}"
    assert patch(admin, path, changes).status_code == 400
    assert Webhook.objects.filter(url=BODY["url"], name="chat", functions="order-*").count() == 1


def test_unknown_ones_are_404(admin: Door) -> None:
    for method, path in (("post", "/webhooks/7/test"), ("post", "/webhooks/7/rotate"), ("get", "/webhooks/7/deliveries")):
        refusal(getattr(admin, method)(path), 404, "webhook_not_found")
    refusal(admin.post("/deliveries/7/redeliver"), 404, "delivery_not_found")
    assert Delivery.objects.count() == 0


def test_the_audit_log_does_not_hold_the_key_in_an_address(admin: Door) -> None:
    made = admin.post("/webhooks", {**BODY, "url": "https://chat.example.com/T0/B1/s3cr3t?token=t0ken"}).json()
    admin.client.patch(f"/api/v1/webhooks/{made['id']}", {"url": "https://chat.example.com/T0/other"}, content_type="application/json")
    created, changed = AuditEntry.objects.filter(object_type="webhook").order_by("id")
    assert created.facts["url"] == changed.facts["before"]["url"] == "https://chat.example.com/…"
    assert changed.facts["before"]["url_digest"] != changed.facts["after"]["url_digest"]
    assert "s3cr3t" not in str(list(AuditEntry.objects.values()))
