"""The people in an explanation: who has to decide, who paused."""

from uuid import UUID

import pytest
from django.contrib.auth.models import Group

from durable_ops.actions import repairs
from durable_ops.actions.actor import Actor
from durable_ops.models import Approval, Assignee, Decision, Shown
from durable_ops.permissions import ALL
from durable_ops.selectors.explanations import explain
from tests.durable_ops.api.conftest import Door
from tests.durable_ops.people import make_user
from tests.factories import make_execution, make_operation, make_version, make_worker

pytestmark = pytest.mark.django_db


def test_approval_names_who_may_decide() -> None:
    execution = make_execution(make_version())
    operation = make_operation(execution, "CALLBACK", name="manager", sub_type="Callback", callback_id="c1", options={"approval": "c1"})
    approval = Approval.objects.create(
        callback_id="c1", execution_id=execution.id, operation_id=operation.id, name="manager", title="Expense E-1", quorum=2, reminders=1
    )
    group, _ = Group.objects.get_or_create(name="managers")  # the examples have made it, unless a test emptied the database
    Assignee.objects.create(approval=approval, kind="group", key=str(group.pk), name="managers")
    vote = {"user_key": "7", "approved": True, "shown": Shown.objects.create(approval=approval, digest="d", content=[])}
    Decision.objects.create(approval=approval, by="ada", redrive_count=1, **vote)  # of before a redrive
    Approval.objects.filter(pk=approval.pk).update(redrive_count=2)
    assert sentence_of(execution.id) == "“Expense E-1” waits for group managers to decide; 0 of 2 have; reminded 1 time."
    Decision.objects.create(approval=approval, by="ada", redrive_count=2, **vote)
    Group.objects.filter(pk=group.pk).update(name="leads")
    assert "waits for group leads to decide; 1 of 2 have" in sentence_of(execution.id)
    Group.objects.filter(pk=group.pk).delete()
    gone = "“Expense E-1” waits for group managers to decide; group managers does not exist any more; 1 of 2 have; reminded 1 time."
    assert sentence_of(execution.id) == gone


def sentence_of(execution_id: UUID) -> str:
    (cause,) = explain(execution_id, access=ALL).causes
    return cause.sentence


def test_pause_names_who_and_why_also_in_the_api() -> None:
    version = make_version()
    make_worker(version)
    execution = make_execution(version)
    operator = make_user("operator")
    repairs.pause_execution(Actor(user=operator), execution.id, reason="the auditors are here")
    answer = Door(operator).get(f"/executions/{execution.id}/explain").json()
    sentence = "operator paused it: the auditors are here. It goes on when somebody resumes it."
    assert (answer["state"], answer["causes"][0]["code"], answer["causes"][0]["sentence"]) == ("paused", "pause", sentence)
    assert Door(make_user("viewer")).get("/executions/00000000-0000-7000-8000-000000000000/explain").status_code == 404
