"""A NUL, wherever it stands: in an address, a search or a form it is no server's error."""

import re
from typing import Any

import pytest
from django.http import QueryDict
from django.test import Client

from durable_ops.doors.nul import drop_nul
from durable_ops.models import SavedView
from durable_ops.selectors.searches import KEYS
from execution_engine.models import Execution
from tests.durable_ops.people import bearer, make_user
from tests.durable_ops.test_role_matrix import routes
from tests.factories import make_execution, make_version

pytestmark = pytest.mark.django_db
TEXTS = re.compile(r"<(?:str|path|anything):\w+>")


@pytest.fixture
def execution() -> Execution:
    make_version("pay", "2")
    return make_execution(make_version("pay"), name="one")


@pytest.fixture
def console() -> Client:
    client = Client(raise_request_exception=False)
    client.force_login(make_user("superuser"))
    return client


@pytest.mark.parametrize("text", ["%00", "a%00b"])
def test_an_address_with_one_leads_nowhere(execution: Execution, console: Client, text: str) -> None:
    program = Client(raise_request_exception=False, headers=bearer(make_user("administrator")))
    found: dict[str, Any] = {}
    for route in routes().values():
        address = re.sub(r"<\w+:\w+>", "1", TEXTS.sub(text, route.replace("<uuid:execution_id>", str(execution.id))))
        if "%00" in address and "^" not in address and not address.startswith("/admin/"):
            client = program if address.startswith(("/api", "/20")) else console
            found[address] = {client.get(address).status_code, client.post(address, {}, content_type="application/json").status_code}
    assert len(found) > 30
    assert {address: statuses for address, statuses in found.items() if max(statuses) >= 500} == {}
    assert 404 in found[f"/functions/{text}/"] & found[f"/api/v1/functions/{text}/limits"] & found[f"/callbacks/{text}/approve"]


def test_pages_read_a_search_without_it(execution: Execution, console: Client) -> None:
    place = f"/executions/{execution.id}"
    for address in ("/executions/", f"{place}/", f"{place}/redrive/", f"{place}/fork/", f"{place}/move/"):
        for key in (*KEYS, "version", "from_operation", "operation", "tab", "text", "seen", "stamp", "cursor", "after", "ca\x00rd"):
            assert console.get(address, {key: "a\x00b"}).status_code < 500, (address, key)


def test_pages_read_a_form_without_it(execution: Execution, console: Client) -> None:
    place = f"/executions/{execution.id}"
    names = ("function", "version", "name", "input", "from_operation", "result", "reason", "concurrency_key", "attributes", "id", "act")
    for address in ("/executions/start/", f"{place}/redrive/", f"{place}/fork/", f"{place}/move/", f"{place}/stop/", "/batches/new/"):
        assert console.post(address, dict.fromkeys(names, "a\x00b")).status_code < 500, address
    assert console.post("/executions/views/", {"name": "h\x00ers", "query": "q=\x00a"}).status_code == 302
    assert SavedView.objects.values_list("name", "query").get() == ("hers", "q=a")


def test_what_holds_none_stays_as_it_was(rf: Any) -> None:
    request = rf.post("/?a=1&a=2", {"b": ["3", "4"]})
    get, post = request.GET, request.POST
    drop_nul(request)
    assert (get, post) == (request.GET, request.POST)
    request = rf.get("/?a=1%00&a=2&%00a=3")
    drop_nul(request)
    assert QueryDict("a=1&a=2&a=3") == request.GET
