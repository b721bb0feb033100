"""The inbox in the console: what a refused decision leaves before the person who sent it, and what is said to whoever may not decide."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from durable_ops.actions import approvals
from durable_ops.actions.actor import Actor
from durable_ops.models import Approval
from tests.durable_ops.approvals.conftest import ask, person  # noqa: F401  (fixtures)
from tests.durable_ops.dashboard.conftest import HTMX

pytestmark = pytest.mark.django_db
Ask = Callable[..., tuple[Any, Approval]]
People = Callable[..., User]


@pytest.fixture
def mona(person: People, client: Client) -> User:  # noqa: F811
    user = person("mona", "managers")
    client.force_login(user)
    return user


def send(client: Client, approval: Approval, **more: str) -> Any:
    sent = {"decision": "approve", "seen": "", "comment": "as <agreed>", "q": "expense", **more}
    return client.post(f"/approvals/{approval.pk}/decide/", sent, headers=HTMX)


@pytest.mark.usefixtures("mona")
def test_a_change_is_shown_in_the_card_and_the_comment_stays(ask: Ask, client: Client) -> None:  # noqa: F811
    _, approval = ask()
    answer = send(client, approval, seen="another state")
    html = answer.content.decode()
    assert (answer.status_code, answer["HX-Retarget"], answer["HX-Reswap"]) == (200, f"#approval-{approval.pk}", "outerHTML")
    assert "It changed since you looked" in html and "as &lt;agreed&gt;</textarea>" in html
    assert '<div id="cards-live" hx-swap-oob="delete">' in html  # a refresh would take the card away again
    assert 'name="q" value="expense"' in html
    seen = html.split('name="seen" value="')[1].split('"')[0]
    assert "Approved: Expense E-1" in send(client, approval, seen=seen).content.decode()
    assert approval.decisions.get().comment == "as <agreed>"


@pytest.mark.usefixtures("mona")
@pytest.mark.parametrize("headers", [HTMX, {}])
def test_whoever_came_second_keeps_the_comment_and_learns_who_decided(
    ask: Ask,  # noqa: F811
    person: People,  # noqa: F811
    client: Client,
    headers: dict[str, str],
) -> None:
    _, approval = ask()
    approvals.decide(Actor(person("max", "managers")), approval.callback_id, approved=False)
    sent = {"decision": "approve", "seen": "", "comment": "as agreed"}
    html = client.post(f"/approvals/{approval.pk}/decide/", sent, headers=headers).content.decode()
    assert "max rejected it." in html
    assert "Your comment, which was not sent" in html and "as agreed</textarea>" in html
    assert 'name="decision"' not in html


@pytest.mark.usefixtures("mona")
def test_a_wrong_field_and_a_claim_are_told_in_the_card(ask: Ask, person: People, client: Client) -> None:  # noqa: F811
    _, approval = ask(form={"type": "object", "properties": {"account": {"type": "string"}}, "required": ["account"]})
    html = send(client, approval).content.decode()
    assert "account" in html and 'name="decision"' in html and "as &lt;agreed&gt;</textarea>" in html
    approvals.claim(Actor(person("max", "managers")), approval.callback_id)
    html = send(client, approval, field_account="4711").content.decode()
    assert "Claimed by max:" in html and 'name="decision"' not in html and "as &lt;agreed&gt;</textarea>" in html


@pytest.mark.usefixtures("mona")
def test_a_decision_leaves_the_list_that_was_looked_through(ask: Ask, client: Client) -> None:  # noqa: F811
    for title in ("Expense 1", "Expense 2", "Travel"):
        _, last = ask(title=title)
    first = Approval.objects.earliest("pk")
    page = client.get("/approvals/?q=expense").content.decode()
    seen = page.split('name="seen" value="')[1].split('"')[0]
    html = send(client, first, seen=seen).content.decode()
    assert ("Expense 2" in html, "Travel" in html, last.title) == (True, False, "Travel")
    live = html.split('hx-get="')[1].split('"')[0].replace("&amp;", "&")
    assert client.get(live, headers=HTMX).status_code == 204


@pytest.mark.usefixtures("mona")
def test_a_group_is_named_in_the_console(ask: Ask, person: People, client: Client) -> None:  # noqa: F811
    fay = person("fay", "Finance & Controlling")
    _, approval = ask()
    sent = {"to": "", "groups": "Finance & Controlling, ", "reason": "not ours"}
    refused = client.post(f"/approvals/{approval.pk}/reassign/", {**sent, "groups": "Finance"})
    assert (refused.status_code, refused.context["not_reassigned"]) == (400, "there is no group 'Finance'")
    assert client.post(f"/approvals/{approval.pk}/reassign/", sent).status_code == 302
    assert client.get(f"/approvals/{approval.pk}/").status_code == 403
    client.force_login(fay)
    assert "group Finance &amp; Controlling" in client.get(f"/approvals/{approval.pk}/").content.decode()


@pytest.mark.usefixtures("mona")
def test_a_form_is_asked_in_the_authors_order_and_words(ask: Ask, client: Client) -> None:  # noqa: F811
    """The database keeps no order of keys."""
    properties = {"account": {"type": "string", "title": "Cost centre"}, "kind": {"enum": ["a", "b"]}, "is_due": {"type": "boolean"}}
    _, approval = ask(form={"type": "object", "properties": properties, "required": ["account"]})
    page = client.get(f"/approvals/{approval.pk}/").content.decode()
    assert re.findall(r'name="field_(\w+)"', page) == ["account", "kind", "is_due"]
    sent = {"decision": "approve", "seen": page.split('name="seen" value="')[1].split('"')[0], "field_kind": "b", "field_is_due": "on"}
    refused = client.post(f"/approvals/{approval.pk}/decide/", sent)
    html = refused.content.decode()
    assert (refused.status_code, "Cost centre is missing." in html, html.count('aria-invalid="true"')) == (400, True, 1)
    assert "<option selected>b</option>" in html and 'name="field_is_due" checked' in html
    assert client.post(f"/approvals/{approval.pk}/decide/", {**sent, "field_account": "4711"}).status_code == 302
    assert approval.decisions.get().fields == {"account": "4711", "kind": "b", "is_due": True}
