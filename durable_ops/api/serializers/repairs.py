"""What a redrive, a fork or a move would do."""

from typing import Any

from rest_framework import serializers

from durable_ops.actions.repairs import MovePlan, RepairPlan
from durable_ops.api.serializers.answers import plain
from durable_ops.api.serializers.executions import NamedOperationDocument
from execution_engine.core.enums import OperationType
from execution_engine.invocation.rehearsal.findings import Change, Verdict


class PlannedOperationDocument(NamedOperationDocument):
    """An operation that a plan names."""


class PlaceDocument(serializers.Serializer[Any]):
    id = serializers.CharField()
    type = serializers.ChoiceField([one.value for one in OperationType])
    sub_type = serializers.CharField(allow_null=True)
    name = serializers.CharField(allow_null=True)
    number = serializers.IntegerField(allow_null=True, help_text="its place in its context, from 1; branches of a batch from 0")
    context = serializers.CharField(allow_null=True, help_text="name of the context that it stands in; null: the function itself")  # type: ignore[assignment]
    target = serializers.CharField(allow_null=True, help_text="the function that a chained invoke names")


class DivergenceDocument(serializers.Serializer[Any]):
    change = serializers.ChoiceField([one.value for one in Change])
    recorded = PlaceDocument(allow_null=True, help_text="what the history has")
    asked = PlaceDocument(allow_null=True, help_text="what the code asks for now")
    where = serializers.CharField(allow_blank=True, help_text="module:line in function")
    text = serializers.CharField(help_text="for people")


class RehearsalDocument(serializers.Serializer[Any]):
    """The loaded code, run over the history without effects."""

    verdict = serializers.ChoiceField([one.value for one in Verdict])
    summary = serializers.CharField(help_text="for people")
    diverging = DivergenceDocument(many=True)
    next = PlaceDocument(many=True, help_text="new operations that the code asks for first")
    result_differs = serializers.BooleanField(help_text="of an execution that succeeded: the code would answer something else now")


class MovePlanDocument(RehearsalDocument):
    from_version = serializers.CharField()
    to_version = serializers.CharField()


class RepairPlanDocument(RehearsalDocument):
    kept = PlannedOperationDocument(many=True, help_text="answered from the history")
    reopened = PlannedOperationDocument(many=True, help_text="run again")
    removed = PlannedOperationDocument(many=True, help_text="forgotten, and run again if the function comes by")
    rearmed = PlannedOperationDocument(many=True, help_text="open callbacks whose time begins anew")
    effects = PlannedOperationDocument(many=True, help_text="steps that were run and will be again")
    waits = PlannedOperationDocument(many=True, help_text="waits and callbacks that begin anew")
    children = PlannedOperationDocument(many=True, help_text="chained invokes whose child is redriven, or started anew")


def repair_plan(plan: RepairPlan) -> dict[str, Any]:
    """What a redrive or a fork would do: operations by what happens to them, and what the loaded code says to that."""
    names = ("id", "type", "sub_type", "name", "parent_id", "status")
    groups = ("kept", "reopened", "removed", "rearmed", "effects", "waits", "children")
    shown = {group: [{name: plain(getattr(record, name)) for name in names} for record in getattr(plan, group)] for group in groups}
    return {**shown, **plan.rehearsal.to_document()}


def move_plan(plan: MovePlan) -> dict[str, Any]:
    return {"from_version": plan.from_version, "to_version": plan.to_version, **plan.rehearsal.to_document()}
