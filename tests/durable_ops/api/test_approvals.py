"""Approvals over REST: the same verdicts as everywhere, for whoever's key it is."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import Group, User

from durable_ops.api.serializers import approvals as shapes
from durable_ops.models import Approval, Outbox
from tests.durable_ops.api.conftest import Door, refusal
from tests.durable_ops.approvals.conftest import ask  # noqa: F401  (a fixture)

Ask = Callable[..., tuple[Any, Approval]]


@pytest.fixture
def door(db: None) -> Callable[..., Door]:
    def make(name: str, *groups: str) -> Door:
        user = User.objects.create_user(name, email=f"{name}@example.com")
        user.groups.add(*(Group.objects.get_or_create(name=group)[0] for group in groups))
        return Door(user)

    return make


def test_a_person_sees_what_is_asked_and_decides_once(ask: Ask, door: Callable[..., Door]) -> None:  # noqa: F811
    execution, approval = ask(requester="rita")
    mona = door("mona", "managers")
    listed = mona.get("/approvals").json()["results"]
    assert [one["title"] for one in listed] == ["Expense E-1: 120.00"]
    assert set(listed[0]) == set(shapes.ApprovalSummaryDocument().fields)
    seen = mona.get(f"/approvals/{approval.pk}").json()
    assert set(seen) == set(shapes.ApprovalDocument().fields)
    assert (seen["may_approve"], seen["details"][0]) == (True, ["Amount", "120.00"])
    body = {"approved": True, "comment": "fine", "seen": seen["shown"]}
    done = mona.post(f"/approvals/{approval.pk}/decide", body).json()
    assert (done["outcome"], done["decisions"][0]["channel"], done["may_approve"]) == ("approved", "rest", False)
    refusal(mona.post(f"/approvals/{approval.pk}/decide", body), 409, "approval_not_waiting")
    execution.skip_time(60)
    assert execution.get_result()["by"] == "mona"


def test_strangers_get_the_same_answer_whether_it_is_there_or_not(ask: Ask, door: Callable[..., Door]) -> None:  # noqa: F811
    _, approval = ask()
    eve = door("eve")
    for pk in (approval.pk, 4711, 10**30):
        for path, body in (("", None), ("/decide", {"approved": True}), ("/claim", {}), ("/reassign", {"to": ["eve"], "reason": "x"})):
            answer = eve.get(f"/approvals/{pk}") if body is None else eve.post(f"/approvals/{pk}{path}", body)
            refusal(answer, 403, "permission_denied")
    assert eve.get("/approvals", {"box": "all"}).json()["results"] == []


def test_a_changed_question_is_refused(ask: Ask, door: Callable[..., Door]) -> None:  # noqa: F811
    linked = User.objects.create_user("carl", first_name="Carl")
    _, approval = ask(for_object=linked)
    mona = door("mona", "managers")
    seen = mona.get(f"/approvals/{approval.pk}").json()["shown"]
    User.objects.filter(pk=linked.pk).update(first_name="Carla")
    found = refusal(mona.post(f"/approvals/{approval.pk}/decide", {"approved": True, "seen": seen}), 409, "approval_changed")
    assert "First name" in found["detail"]


def test_reassigned_to_somebody_else_and_to_nobody_else(ask: Ask, door: Callable[..., Door]) -> None:  # noqa: F811
    _, approval = ask(requester="rita")
    mona, nora = door("mona", "managers"), door("nora")
    User.objects.create_user("rita")
    for to in (["ghost"], ["rita"], []):
        refusal(mona.post(f"/approvals/{approval.pk}/reassign", {"to": to, "reason": "holiday"}), 400, "invalid_input")
    assert mona.post(f"/approvals/{approval.pk}/reassign", {"to": ["nora"], "reason": "holiday"}).status_code == 200
    refusal(mona.post(f"/approvals/{approval.pk}/decide", {"approved": True}), 403, "permission_denied")
    assert [one.user.get_username() for one in Outbox.objects.order_by("-id")[:1]] == ["nora"]
    assert nora.post(f"/approvals/{approval.pk}/decide", {"approved": True}).status_code == 200


def test_reassigned_to_a_group(ask: Ask, door: Callable[..., Door]) -> None:  # noqa: F811
    _, approval = ask()
    mona, fay = door("mona", "managers"), door("fay", "finance")
    address = f"/approvals/{approval.pk}/reassign"
    for body in ({"groups": ["ghosts"]}, {"groups": "finance"}, {"groups": []}, {"groups": [""]}, {}):
        refusal(mona.post(address, {"reason": "not ours", **body}), 400, "invalid_input")
    assert mona.post(address, {"groups": ["finance"], "reason": "not ours"}).status_code == 200
    Group.objects.filter(name="finance").update(name="treasury")
    assert fay.get(f"/approvals/{approval.pk}").json()["asked"] == [{"kind": "group", "name": "treasury"}]
    assert fay.post(f"/approvals/{approval.pk}/decide", {"approved": True}).status_code == 200


@pytest.mark.parametrize(
    "body",
    [{}, {"approved": "maybe"}, {"approved": True, "x": 1}, {"approved": True, "comment": "x" * 2001},
     {"approved": True, "fields": {"a": 1}},
     {"approved": True, "fields": []}],
)  # fmt: skip
def test_bad_bodies_decide_nothing(ask: Ask, door: Callable[..., Door], body: dict[str, Any]) -> None:  # noqa: F811
    _, approval = ask()
    refusal(door("mona", "managers").post(f"/approvals/{approval.pk}/decide", body), 400, "invalid_input")
    assert approval.decisions.count() == 0


def test_claim_and_release(ask: Ask, door: Callable[..., Door]) -> None:  # noqa: F811
    _, approval = ask()
    mona, nora = door("mona", "managers"), door("nora", "managers")
    assert mona.post(f"/approvals/{approval.pk}/claim", {}).json()["claimed_by"] == "mona"
    refusal(nora.post(f"/approvals/{approval.pk}/decide", {"approved": False}), 409, "claimed_by_another")
    assert nora.post(f"/approvals/{approval.pk}/release", {}).json()["claimed_by"] is None
    assert [one["title"] for one in mona.get("/approvals", {"box": "groups", "q": "expense"}).json()["results"]] == ["Expense E-1: 120.00"]
    assert mona.get("/approvals", {"box": "mine"}).json()["results"] == []
    refusal(mona.get("/approvals", {"box": "yours"}), 400, "invalid_input")
    refusal(mona.get("/approvals", {"cursor": "x"}), 400, "invalid_cursor")
