"""Body and answer of starting many."""

from typing import Any

from rest_framework import serializers

from durable_ops.actions.many_starts import MOST, Refusal, StartedExecution
from durable_ops.api.errors import problem_of
from durable_ops.api.serializers.documents import ProblemDocument
from durable_ops.api.serializers.requests import StartBody
from durable_ops.api.serializers.strict import StrictSerializer


class ManyStartsBody(StrictSerializer):
    executions = serializers.ListField(child=StartBody(), min_length=1, max_length=MOST, help_text=f"1 to {MOST}, as for one start")


class ManyStartsItemDocument(serializers.Serializer[Any]):
    status = serializers.IntegerField(help_text="as one start is answered: 201, 200 when it was there, or a refusal's")
    id = serializers.UUIDField(allow_null=True)
    arn = serializers.CharField(allow_null=True)
    name = serializers.CharField(allow_null=True)
    function = serializers.CharField()
    version = serializers.CharField(allow_null=True)
    problem = ProblemDocument(allow_null=True, help_text="why it was not started")


class ManyStartsDocument(serializers.Serializer[Any]):
    results = ManyStartsItemDocument(many=True, help_text="in the order of the body")
    started = serializers.IntegerField()
    existing = serializers.IntegerField()
    refused = serializers.IntegerField()


def many_starts(functions: list[str], found: list[StartedExecution | Refusal]) -> dict[str, Any]:
    results = [_item(function, one) for function, one in zip(functions, found, strict=True)]
    statuses = [one["status"] for one in results]
    counts = {"started": statuses.count(201), "existing": statuses.count(200)}
    return {"results": results, **counts, "refused": len(results) - sum(counts.values())}


def _item(function: str, one: StartedExecution | Refusal) -> dict[str, Any]:
    if isinstance(one, StartedExecution):
        facts = {"id": str(one.id), "arn": one.arn, "name": one.name, "function": function, "version": one.version, "problem": None}
        return {"status": 201 if one.created else 200, **facts}
    answer = problem_of(one)
    assert answer is not None
    refusal = answer.data
    nothing = dict.fromkeys(("id", "arn", "name", "version"))
    return {"status": refusal["status"], **nothing, "function": function, "problem": refusal}
