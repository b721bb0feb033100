"""A search for a masked attribute holds its value: where others read what somebody looked for, it is masked as well."""

import json

import pytest
from django.test import Client

from durable_ops.models import AuditEntry, Protection
from durable_ops.selectors.searches import told, told_address
from tests.durable_ops.people import bearer, make_user
from tests.factories import make_execution, make_version

pytestmark = pytest.mark.django_db
SECRET = "4111222233334444"


@pytest.fixture(autouse=True)
def card_is_masked() -> None:
    Protection.objects.create(pattern="pay", masked=["card"])


@pytest.mark.parametrize(
    ("attribute", "shown"),
    [
        ("card=4111", "card=•••"),
        ("region=eu, Card = 4111", "region=eu, Card =•••"),
        ("card=4111\nregion=eu", "card=•••,region=eu"),
        ("card", "card=•••"),
        ("region=eu", "region=eu"),
    ],
)
def test_only_what_is_masked_is_left_out(attribute: str, shown: str) -> None:
    assert told({"q": "a", "attribute": attribute})["attribute"] == shown


def test_an_address_without_masked_values_stays_as_it_was() -> None:
    assert told_address("status=FAILED&attribute=region%3Deu&&x") == "status=FAILED&attribute=region%3Deu&&x"
    assert told_address(f"status=FAILED&attribute=card%3D{SECRET}") == "status=FAILED&attribute=card%3D%E2%80%A2%E2%80%A2%E2%80%A2"


def test_neither_batches_nor_the_audit_log_repeat_it() -> None:
    make_execution(make_version("pay"), attributes={"card": SECRET})
    administrator = Client(headers=bearer(make_user("administrator")))
    body = {"action": "export", "filters": {"attribute": f"card={SECRET}"}, "reason": "look"}
    made = administrator.post("/api/v1/batches", body, content_type="application/json")
    assert (made.status_code, made.json()["total"], made.json()["filters"]) == (201, 1, "attribute=card=•••")
    reader = Client(headers=bearer(make_user("viewer")))
    assert SECRET not in reader.get("/api/v1/batches").content.decode()
    console = Client()
    console.force_login(make_user("superuser"))
    console.post("/executions/views/", {"name": "hers", "query": f"attribute=card%3D{SECRET}"})
    facts = {row.action: json.dumps(row.facts) for row in AuditEntry.objects.all()}
    assert {"batch.start", "view.save"} <= set(facts)
    assert SECRET not in "".join(facts.values())
