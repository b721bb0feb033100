"""Alert rules over REST."""

import json
from typing import Any

import pytest
from django.utils import timezone

from durable_ops.api.serializers import alerts as shapes
from durable_ops.models import Alert, AlertRule, AuditEntry
from tests.durable_ops.api.conftest import Door, refusal

BODY = {"name": "Payments fail", "kind": "failed", "mail_to": ["ops@example.com"], "threshold": 3}


def test_made_changed_listed_and_removed(admin: Door) -> None:
    made = admin.post("/alert-rules", BODY)
    assert made.status_code == 201, made.content
    new = made.json()
    assert set(new) == set(shapes.AlertRuleDocument().fields)
    assert (new["threshold"], new["minutes"], new["functions"], new["webhook"]) == (3, 10, "*", None)
    path = f"/alert-rules/{new['id']}"
    assert admin.get("/alert-rules").json()["results"] == [admin.get(path).json()] == [new]
    body = json.dumps({"minutes": 30, "reason": "calmer"})
    assert admin.client.patch(f"/api/v1{path}", body, content_type="application/json").json()["minutes"] == 30
    assert AuditEntry.objects.get(action="alert_rule.change").facts["after"] == {"minutes": 30}
    for number in range(3):
        fired = timezone.now() if number else None
        Alert.objects.create(rule_id=new["id"], function=f"f{number}", fired_at=fired, count=3, highest=4)
    first = admin.get("/alerts", {"limit": 1}).json()
    assert [one["function"] for one in first["results"]] == ["f2"]
    assert set(first["results"][0]) == set(shapes.AlertDocument().fields)
    assert [one["function"] for one in admin.client.get(first["next"]).json()["results"]] == ["f1"]
    assert admin.client.delete(f"/api/v1{path}").status_code == 204
    refusal(admin.get(path), 404, "alert_rule_not_found")
    assert Alert.objects.count() == 0


WRONG = [
    {"kind": "x"}, {"mail_to": []}, {"mail_to": ["x"]}, {"threshold": 0}, {"minutes": 10**9}, {"webhook": 7}, {"functions": "a b"},
    {"more": 1},
]  # fmt: skip


@pytest.mark.parametrize("changes", WRONG)
def test_bad_values_are_refused(admin: Door, changes: dict[str, Any]) -> None:
    assert admin.post("/alert-rules", {**BODY, **changes}).status_code == 400
    assert AlertRule.objects.count() == 0
